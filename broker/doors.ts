import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import type { AddressQuota } from "./address-quota.ts";
import type { BrokerOptions } from "./broker.ts";
import type { Engine } from "./engine.ts";

const HANDSHAKE_MS = 5_000;

/** A port for plain MQTT. `noDelay`, since Nagle's algorithm holds back each small answer for a round trip. */
export async function openTcpDoor(
  { host, port }: BrokerOptions["tcp"],
  onConnection: (socket: net.Socket, address: string | null) => void,
): Promise<net.Server> {
  const server = net.createServer({ noDelay: true }, (socket) => onConnection(socket, socket.remoteAddress ?? null));
  return listen(server, host, port);
}

/** A port for MQTT over TLS. An address is held to its quota from the first byte of the handshake. */
export async function openTlsDoor(
  { host, port, cert, key }: NonNullable<BrokerOptions["tls"]>,
  quota: AddressQuota,
  engine: Engine,
): Promise<net.Server> {
  const releases = new Map<string, () => void>();
  const server = tls.createServer({ cert, key, noDelay: true, handshakeTimeout: HANDSHAKE_MS }, (socket) => {
    const release = releases.get(nameOf(socket)) ?? (() => {});
    engine.handle(socket, { address: socket.remoteAddress ?? null, hub: null, onSettled: release });
  });
  server.on("connection", (socket: net.Socket) => {
    const release = quota.take(socket.remoteAddress ?? "");
    if (release === null) {
      socket.destroy();
      return;
    }
    const name = nameOf(socket);
    releases.set(name, release);
    socket.once("close", () => {
      releases.delete(name);
      release();
    });
  });
  return listen(server, host, port);
}

export function portOf(server: net.Server): number {
  return (server.address() as net.AddressInfo).port; // it listens on a port, not on a path
}

/** The same for a socket and for the TLS socket around it. */
function nameOf(socket: net.Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}

async function listen(server: net.Server, host: string, port: number): Promise<net.Server> {
  server.listen(port, host);
  await once(server, "listening");
  // a failed accept (too many open files) is that connection's end, not the hub's
  server.on("error", () => {});
  return server;
}
