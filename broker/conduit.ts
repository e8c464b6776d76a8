import type { Duplex } from "node:stream";
import type { Outbox } from "./outbox.ts";

/**
 * What Aedes takes for its connection: reading and events are the connection's own, and ending it goes through the outbox.
 *
 * What Aedes writes is left out, since every answer is ours.
 */
export function conduit(conn: Duplex, outbox: Outbox): object {
  return {
    write: () => true,
    /** Aedes destroys a connection right after its last words. */
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
