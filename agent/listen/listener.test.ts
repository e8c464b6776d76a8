import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { MacAddress } from "#contracts/mac-address.ts";
import { createLog } from "../log.ts";
import { magicPacket } from "../wake/magic-packet.ts";
import { type HeardPacket, Listener } from "./listener.ts";

const NAS = MacAddress.parse("02:00:00:00:00:01");
const log = createLog({ level: "silent", stream: process.stderr });
const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function bound(options: { reuseAddr: boolean; port?: number }): Promise<{ socket: Socket; port: number }> {
  const socket = createSocket({ type: "udp4", reuseAddr: options.reuseAddr });
  socket.bind(options.port ?? 0);
  await once(socket, "listening");
  socket.setBroadcast(true);
  closers.push(() => socket.close());
  return { socket, port: socket.address().port };
}

/** A listener that takes packets from this machine for those of another one. */
async function startListener(ports: readonly number[], own: readonly string[] = []) {
  const heard: HeardPacket[] = [];
  const ownAddresses = () => new Set(own);
  const listener = new Listener({ onPacket: (packet) => heard.push(packet), log, ports, ownAddresses });
  await listener.start();
  closers.push(() => listener.close());
  return { heard, listener };
}

const send = (socket: Socket, payload: Buffer, port: number, address = "127.255.255.255") =>
  new Promise<void>((resolve, reject) =>
    socket.send(payload, port, address, (error) => (error ? reject(error) : resolve())),
  );

describe("a listener", () => {
  test("hears a broadcast magic packet beside a program that shares the port, once a burst", async () => {
    const other = await bound({ reuseAddr: true });
    const theirs: Buffer[] = [];
    other.socket.on("message", (payload) => theirs.push(payload));
    const { heard, listener } = await startListener([other.port]);
    const sender = await bound({ reuseAddr: false });
    await send(sender.socket, Buffer.from("no magic packet"), other.port);
    for (let round = 0; round < 3; round++) await send(sender.socket, magicPacket(NAS, null), other.port);

    await expect.poll(() => theirs.length).toBe(4); // the other program hears everything all the same
    await expect.poll(() => heard).toEqual([{ mac: NAS, from: "127.0.0.1", port: other.port }]);
    expect(listener.ports).toEqual([other.port]);
  });

  test("hears what goes to all IPv6 nodes", async () => {
    const free = await bound({ reuseAddr: false });
    const { port } = free;
    closers.pop()?.();
    const { heard } = await startListener([port]);
    const socket = createSocket("udp6");
    closers.push(() => socket.close());
    await send(socket, magicPacket(NAS, null), port, "::1");
    await expect.poll(() => heard).toEqual([{ mac: NAS, from: "::1", port }]);
  });

  test("takes no notice of this machine's own packets", async () => {
    const { port } = await bound({ reuseAddr: true });
    const { heard } = await startListener([port], ["127.0.0.1"]);
    const deafToNobody = await startListener([port]);
    const { socket } = await bound({ reuseAddr: false });
    await send(socket, magicPacket(NAS, null), port);
    await expect.poll(() => deafToNobody.heard.length).toBe(1); // both sockets got it
    expect(heard).toEqual([]);
  });

  test("leaves a port to a program that has it for itself", async () => {
    const other = await bound({ reuseAddr: false });
    const theirs: Buffer[] = [];
    other.socket.on("message", (payload) => theirs.push(payload));
    const { heard } = await startListener([other.port]);
    const sender = await bound({ reuseAddr: false });
    await send(sender.socket, magicPacket(NAS, null), other.port, "127.0.0.1");
    await expect.poll(() => theirs.length).toBe(1);
    expect(heard).toEqual([]);
  });
});
