import type { Pool, PoolClient } from "pg";

/**
 * Gives the place of a connection in the pool free as soon as the connection breaks or does not answer in time, whoever holds it.
 *
 * Kysely 0.29, below the ORM, keeps the connection of a transaction that can be neither begun nor rolled back: after as many
 * as the pool has places, nothing could be written any more until the hub starts anew.
 */
export function freeLostConnections(pool: Pool): void {
  const held = new Set<PoolClient>();
  const free = (client: PoolClient): void => {
    if (!held.has(client)) return;
    client.release(true);
    client.release = () => {}; // of a holder who gives it back all the same; a second time the pool would not take it
  };
  pool.on("acquire", (client) => held.add(client));
  pool.on("release", (_error, client) => held.delete(client));
  pool.on("connect", (client) => {
    client.once("end", () => free(client));
    whenLate(client, free);
  });
}

/** Gives up a connection on which a query got no answer in time: whatever follows on it would wait behind that one. */
function whenLate(client: PoolClient, giveUp: (client: PoolClient) => void): void {
  const query = client.query.bind(client) as (...query: unknown[]) => unknown; // one of many forms, passed on as it is
  const watched = (...words: unknown[]): unknown => {
    const answer = query(...words);
    if (answer instanceof Promise)
      answer.catch((error: unknown) => {
        if (error instanceof Error && error.message === "Query read timeout") giveUp(client);
      });
    return answer;
  };
  client.query = watched as PoolClient["query"];
}
