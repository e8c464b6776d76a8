import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import { networkOf } from "#contracts/network.ts";
import { AddressQuota } from "./address-quota.ts";
import { type Door, openTcpDoor, openTlsDoor } from "./doors.ts";
import { startEngine } from "./engine.ts";
import { linkHub } from "./hub-link.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import type { BrokerFigures, BrokerOptions } from "./options.ts";
import { openWebSocketDoor } from "./web-socket.ts";

/** What a WebSocket frame may hold beyond one packet. Bytes. */
const FRAME_MARGIN = 1024;

export interface Broker {
  /** The ports that are really open, where 0 was asked for. */
  readonly tcpPort: number;
  readonly tlsPort: number | null;
  /** One end of an in-process MQTT connection that has the hub's rights; it needs no credentials. */
  connectHub(): Duplex;
  /** Takes over a WebSocket upgrade that the HTTP server got at `/mqtt`. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends every connection of a principal at once, by its id (a revoked credential). */
  disconnect(principalId: string): void;
  figures(): BrokerFigures;
  close(): Promise<void>;
}

/** Opens the ports. Rejects with the system's error (`EADDRINUSE`, `EACCES`, …) when one cannot be opened. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const engine = await startEngine(options);
  const quota = new AddressQuota(limits.unauthenticatedPerAddress);
  const webSocket = openWebSocketDoor(limits.packetBytes + FRAME_MARGIN, (stream, request) =>
    admit(stream, request.socket.remoteAddress ?? null),
  );
  const doors: Door[] = [];

  try {
    const tcp = await openTcpDoor(options.tcp, admit);
    doors.push(tcp);
    const tls = options.tls && (await openTlsDoor(options.tls, quota, engine));
    if (tls) doors.push(tls);
    return {
      tcpPort: tcp.port,
      tlsPort: tls ? tls.port : null,
      connectHub: () => linkHub(engine),
      handleUpgrade: (request, socket, head) => webSocket.handleUpgrade(request, socket, head),
      disconnect: (principalId) => engine.disconnect(principalId),
      figures: () => engine.figures(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }

  function admit(conn: Duplex, address: string | null): void {
    const release = quota.take(networkOf(address ?? ""));
    if (release === null) conn.destroy();
    else engine.handle(conn, { address, hub: null, onSettled: release });
  }

  async function close(): Promise<void> {
    webSocket.close();
    // no new clients from here on, and the doors are shut when the last client is out
    const closed = doors.map(async (door) => door.close());
    await engine.close();
    await Promise.all(closed);
  }
}
