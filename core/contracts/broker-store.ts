/**
 * Where the broker keeps what must outlive this process: sessions of clients that want to come back, what waits for them,
 * and retained messages. Of the hub's own there are those alone that it does not publish again when it starts.
 */
export interface BrokerStore {
  readonly load: () => Promise<StoredState>;
  /** Never called while an earlier call is under way. Fails when the store does not answer; what it was told counts as unknown then. */
  readonly save: (changes: StoreChanges) => Promise<void>;
}

export interface StoredState {
  readonly sessions: readonly StoredSession[];
  /** In the order in which they were published. */
  readonly queued: readonly StoredQueued[];
  readonly retained: readonly StoredRetained[];
}

/** To be done in this order. */
export interface StoreChanges {
  /** Sessions to forget with all they hold, by id. */
  readonly ended: readonly string[];
  readonly sessions: readonly StoredSession[];
  /** Queues to forget as a whole, by session. */
  readonly emptied: readonly string[];
  readonly left: readonly { readonly sessionId: string; readonly number: number }[];
  readonly queued: readonly StoredQueued[];
  /** Topics on which nothing is retained any more. */
  readonly cleared: readonly string[];
  readonly retained: readonly StoredRetained[];
}

export interface StoredSession {
  readonly id: string;
  readonly principalId: string;
  readonly siteId: string;
  /** How long it lasts once its client is gone; 0 for one that holds nothing but a Will. */
  readonly seconds: number;
  /** When its client left. Milliseconds since 1970; null while it is there. */
  readonly leftAtMs: number | null;
  readonly subscriptions: readonly StoredSubscription[];
  readonly awaitingPubrel: readonly number[];
  readonly will: StoredWill | null;
}

export interface StoredSubscription {
  readonly filter: string;
  readonly qos: 0 | 1;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly identifier?: number | undefined;
}

export interface StoredMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly properties: StoredProperties | null;
}

/** Properties that are forwarded, the lifetime apart. Bytes are base64. */
export interface StoredProperties {
  readonly payloadFormatIndicator?: boolean;
  readonly contentType?: string;
  readonly responseTopic?: string;
  readonly correlationData?: string;
  readonly userProperties?: Record<string, string | string[]>;
}

/** The payload is base64: it is a field of its session. */
export interface StoredWill extends Omit<StoredMessage, "payload"> {
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
  /** Seconds. */
  readonly delay: number | null;
  readonly lifetime: number | null;
}

export interface StoredQueued extends StoredMessage {
  readonly sessionId: string;
  /** Rises from message to message. */
  readonly number: number;
  /** The packet identifier it was sent with; 0 when it was not. */
  readonly packetId: number;
  readonly retain: boolean;
  readonly identifiers: readonly number[];
  /** The site that the message is about, where it says so. */
  readonly aboutSiteId: string | null;
  /** Milliseconds since 1970; null for one that does not expire. */
  readonly expiresAtMs: number | null;
}

export interface StoredRetained extends StoredMessage {
  /** Who published it. */
  readonly principalId: string;
  readonly siteId: string;
  /** The site that the message is about, where it says so. */
  readonly aboutSiteId: string | null;
  readonly qos: number;
  readonly expiresAtMs: number | null;
}
