import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import type { AddressQuota } from "./address-quota.ts";
import type { BrokerOptions } from "./options.ts";
import type { Engine } from "./engine.ts";

const HANDSHAKE_MS = 5_000;
/** Connections that the system may hold for us: after an outage every agent comes at once, and a lost SYN costs seconds. */
const BACKLOG = 4_096;

/** An open port. */
export interface Door {
  readonly port: number;
  /** Takes no more connections. Those that are open are their clients' and are ended by the engine. */
  close(): Promise<void>;
}

/** A port for plain MQTT. `noDelay`, since Nagle's algorithm holds back each small answer for a round trip. */
export async function openTcpDoor(
  { host, port }: BrokerOptions["tcp"],
  onConnection: (socket: net.Socket, address: string | null) => void,
): Promise<Door> {
  const server = net.createServer({ noDelay: true }, (socket) => onConnection(socket, socket.remoteAddress ?? null));
  return open(server, host, port);
}

/** A port for MQTT over TLS. An address is held to its quota from the first byte of the handshake. */
export async function openTlsDoor(
  { host, port, cert, key }: NonNullable<BrokerOptions["tls"]>,
  quota: AddressQuota,
  engine: Engine,
): Promise<Door> {
  const releases = new Map<string, () => void>();
  const sockets = new Set<net.Socket>();
  const options = { cert, key, noDelay: true, handshakeTimeout: HANDSHAKE_MS };
  const server = tls.createServer(options, (socket) => {
    const onSettled = releases.get(nameOf(socket)) ?? (() => {});
    engine.handle(socket, { address: socket.remoteAddress ?? null, hub: null, onSettled });
  });
  server.on("connection", (socket: net.Socket) => {
    const release = quota.take(socket.remoteAddress ?? "");
    if (release === null) {
      socket.destroy();
      return;
    }
    const name = nameOf(socket);
    releases.set(name, release);
    sockets.add(socket);
    socket.once("close", () => {
      releases.delete(name);
      sockets.delete(socket);
      release();
    });
  });
  const door = await open(server, host, port);
  return {
    port: door.port,
    async close() {
      const closed = door.close();
      // the engine knows nothing of those that are still in their handshake
      for (const socket of sockets) socket.destroySoon();
      await closed;
    },
  };
}

/** The same for a socket and for the TLS socket around it. */
function nameOf(socket: net.Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}

async function open(server: net.Server, host: string, port: number): Promise<Door> {
  server.listen({ port, host, backlog: BACKLOG });
  await once(server, "listening");
  // a failed accept (too many open files) is that connection's end, not the hub's
  server.on("error", () => {});
  const address = server.address() as net.AddressInfo; // it listens on a port, not on a path
  return { port: address.port, close: async () => new Promise((resolve) => server.close(() => resolve())) };
}
