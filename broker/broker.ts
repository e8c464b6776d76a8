import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { AccessPolicy } from "./access-policy.ts";

export interface BrokerLog {
  warn(details: object, message: string): void;
  info(details: object, message: string): void;
}

export interface BrokerOptions {
  /** Without a slash at the end, such as `powerbeacon`. */
  readonly baseTopic: string;
  /** Home Assistant's discovery prefix, such as `homeassistant`. */
  readonly discoveryPrefix: string;
  readonly tcp: { readonly host: string; readonly port: number };
  readonly tls: { readonly host: string; readonly port: number; readonly cert: Buffer; readonly key: Buffer } | null;
  readonly policy: AccessPolicy;
  readonly log: BrokerLog;
}

export interface BrokerFigures {
  readonly clients: number;
  readonly retained: number;
  readonly refusals: number;
  readonly droppedClients: number;
  readonly droppedMessages: number;
}

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
  throw new Error(`not built yet: ${options.baseTopic}`);
}
