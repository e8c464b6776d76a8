import type { Principal } from "#contracts/principal.ts";
import type { AccessPolicy, AccessRefusal } from "./access-policy.ts";
import type { Congestion } from "./congestion.ts";
import type { Connection } from "./connection.ts";
import type { Exchange } from "./exchange.ts";
import type { BrokerLimits } from "./limits.ts";
import type { Flusher } from "./outbox.ts";
import type { RetainedStore } from "./retained-store.ts";
import type { Sessions } from "./sessions.ts";
import type { TopicRules } from "./topic-rules.ts";

/** What all connections of a broker share. */
export interface ConnectionContext {
  readonly limits: BrokerLimits;
  readonly policy: AccessPolicy;
  readonly rules: TopicRules;
  readonly exchange: Exchange;
  readonly sessions: Sessions;
  readonly retained: RetainedStore;
  readonly flusher: Flusher;
  readonly congestion: Congestion;
  readonly refuse: (refusal: AccessRefusal) => void;
  readonly onDroppedClient: (connection: Connection) => void;
  readonly onProblem: (connection: Connection, problem: string) => void;
}

/** How much may wait for a client that does not read. Bytes. */
export function outputLimit({ type }: Principal, limits: BrokerLimits): number {
  if (type === "hub") return limits.outputBytesHub;
  return type === "agent" ? limits.outputBytesAgent : limits.outputBytesIntegration;
}
