/** The bounds that all parts share. A bound that one part alone needs stands in that part. */

/** The most that one MQTT packet may hold once a client is connected. Bytes. */
export const MAX_PACKET_BYTES = 256 * 1024;

/** The most that signed claims may hold as JSON: a JWS is a third longer, and has to fit into a packet with its topic. Bytes. */
export const MAX_SIGNED_BYTES = ((MAX_PACKET_BYTES - 4 * 1024) * 3) / 4;

/** A larger cluster gets several orders: an order and its receipt must each fit into one packet. */
export const MAX_TARGETS_PER_ORDER = 200;

/** An order that is older than this when it arrives is refused. Milliseconds. */
export const ORDER_LIFETIME_MS = 30_000;

/** A device is awaited this long unless it says otherwise. Seconds. */
export const DEFAULT_WAKE_WINDOW_SECONDS = 120;

/** A machine that was told to go down is not called on again before this. Seconds. */
export const DEFAULT_OFF_GRACE_SECONDS = 120;

/** How long a wake's transaction of one client is remembered. Milliseconds. */
export const TRANSACTION_LIFETIME_MS = 10 * 60_000;

/** Agents publish their heartbeat this often. Seconds. */
export const HEARTBEAT_INTERVAL_SECONDS = 30;

/** The most devices that one agent watches. */
export const MAX_WATCHED_DEVICES = 1_000;
