import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { Cleanup } from "./cleanup.ts";

/** Where magic packets and other datagrams arrive. */
export interface PacketReceiver {
  readonly port: number;
  /** Called with each datagram and the moment when it came. */
  onPacket: (packet: Buffer, atMs: number) => void;
  /** Resolves with the moment when the first packet for this MAC address (twelve hexadecimal digits) comes. */
  firstFor(mac: string): Promise<number>;
}

const PATIENCE_MS = 5_000;
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

export async function openPacketReceiver(cleanup: Cleanup): Promise<PacketReceiver> {
  const socket = createSocket({ type: "udp4", recvBufferSize: RECEIVE_BUFFER_BYTES });
  const awaited = new Map<string, (atMs: number) => void>();
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  cleanup.add(() => void socket.close());
  const receiver: PacketReceiver = {
    port: socket.address().port,
    onPacket: () => {},
    firstFor: async (mac) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          awaited.delete(mac);
          reject(new Error(`no packet for ${mac} within ${PATIENCE_MS / 1_000} s`));
        }, PATIENCE_MS);
        awaited.set(mac, (atMs) => {
          clearTimeout(timer);
          resolve(atMs);
        });
      }),
  };
  socket.on("message", (packet) => {
    const atMs = performance.now();
    receiver.onPacket(packet, atMs);
    const mac = macOf(packet);
    awaited.get(mac)?.(atMs);
    awaited.delete(mac);
  });
  return receiver;
}

/** The first MAC address in a magic packet, after its six 0xFF. */
export function macOf(packet: Buffer): string {
  return packet.toString("hex", 6, 12);
}
