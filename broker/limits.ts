import { MAX_PACKET_BYTES } from "#contracts/limits.ts";

/** What one client, or one address, may take from the hub. Tests set smaller ones. */
export interface BrokerLimits {
  /** Bytes of one packet, and packets held back, until the client is let in. */
  readonly packetBytesBeforeConnack: number;
  readonly packetsBeforeConnack: number;
  /** Bytes of one packet after that; told to MQTT 5 clients. */
  readonly packetBytes: number;
  /** A connection that has not sent its CONNECT by then is closed. */
  readonly connectTimeoutMs: number;
  /** A packet that has begun must be complete by then, keep-alive or not. */
  readonly packetTimeoutMs: number;
  /** Seconds; told to MQTT 5 clients that ask for more or for none. 3.1.1 has no way to be told. */
  readonly keepAliveSeconds: number;
  /** Connections of one address that are not let in yet. */
  readonly unauthenticatedPerAddress: number;
  readonly filtersPerPacket: number;
  readonly filtersPerClient: number;
  /** Of a client whose session outlives its connection, and is kept. */
  readonly filtersPerLastingSession: number;
  /** Of all clients of one credential together, by their levels; see FilterQuota. */
  readonly filterSizeAgent: number;
  readonly filterSizeIntegration: number;
  readonly topicBytes: number;
  /** QoS 2 messages of one client that wait for their PUBREL. */
  readonly awaitingPubrel: number;
  /** Bytes that wait for one client to read them; then that client is dropped. */
  readonly outputBytesAgent: number;
  readonly outputBytesIntegration: number;
  readonly outputBytesHub: number;
  /** Bytes that may wait for the hub before clients have to. */
  readonly hubBacklogBytes: number;
  /** What one session keeps for a client that is away or does not acknowledge; the oldest goes first. */
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  /** Sessions whose clients are away: of all together, and of one credential. What waits in each is stored. */
  readonly sessions: number;
  readonly sessionsPerCredential: number;
  readonly sessionSeconds: number;
  readonly retainedMessages: number;
}

export const DEFAULT_LIMITS: BrokerLimits = {
  packetBytesBeforeConnack: 4 * 1024,
  packetsBeforeConnack: 42,
  packetBytes: MAX_PACKET_BYTES,
  connectTimeoutMs: 5_000,
  packetTimeoutMs: 30_000,
  keepAliveSeconds: 300,
  unauthenticatedPerAddress: 64,
  filtersPerPacket: 1_000,
  // Home Assistant, which has no session, reads four topics of each device
  filtersPerClient: 50_000,
  filtersPerLastingSession: 2_000,
  filterSizeAgent: 5_000,
  // 125 MiB, or 10,000 devices twelve levels deep
  filterSizeIntegration: 500_000,
  topicBytes: 1_024,
  awaitingPubrel: 64,
  outputBytesAgent: 1024 * 1024,
  outputBytesIntegration: 16 * 1024 * 1024,
  outputBytesHub: 256 * 1024 * 1024,
  hubBacklogBytes: 8 * 1024 * 1024,
  queuedMessages: 1_000,
  queuedBytes: 8 * 1024 * 1024,
  sessions: 20_000,
  sessionsPerCredential: 100,
  sessionSeconds: 24 * 60 * 60,
  retainedMessages: 500_000,
};
