import type { AccessPolicy } from "./access-policy.ts";
import type { BrokerStore } from "#contracts/broker-store.ts";
import type { BrokerLimits } from "./limits.ts";

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
  /** Where sessions and retained messages are kept over a restart; nowhere without. */
  readonly store?: BrokerStore;
  /** Where other limits than the usual ones are wanted. */
  readonly limits?: Partial<BrokerLimits>;
}

export interface BrokerFigures {
  readonly clients: number;
  /** Sessions of clients that are away. */
  readonly awaySessions: number;
  readonly retained: number;
  readonly refusals: number;
  readonly droppedClients: number;
  readonly droppedMessages: number;
}
