import type { Duplex } from "node:stream";
import type { Outbox } from "./outbox.ts";

/**
 * What Aedes takes for its connection: reading and events are the connection's own, writing goes to the outbox.
 *
 * It has no `cork`, since mqtt-packet would cork and uncork it around each packet, and its `write` is always true, since
 * Aedes would otherwise make whoever publishes wait for this reader.
 */
export function conduit(conn: Duplex, outbox: Outbox): object {
  return {
    write(chunk: Buffer | string): boolean {
      outbox.write(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
      return true;
    },
    /** Aedes destroys a connection right after it wrote its last words. */
    destroy: () => outbox.end(),
    get destroyed() {
      return conn.destroyed;
    },
    read: conn.read.bind(conn),
    on: conn.on.bind(conn),
    once: conn.once.bind(conn),
    emit: conn.emit.bind(conn),
    removeListener: conn.removeListener.bind(conn),
    removeAllListeners: conn.removeAllListeners.bind(conn),
  };
}
