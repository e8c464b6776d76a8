import { MikroORM } from "@mikro-orm/postgresql";
import { afterEach, describe, expect, test } from "vitest";
import { createDatabase, query } from "#test/fixtures/database.ts";
import { freeLostConnections } from "./pool.ts";

const PLACES = 2;

let orm: MikroORM | undefined;

afterEach(() => orm?.close(true));

async function openPool(queryTimeoutMs: number) {
  const url = await createDatabase();
  orm = new MikroORM({
    clientUrl: url,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    pool: { min: 0, max: PLACES },
    driverOptions: {
      connectionTimeoutMillis: 1_000,
      query_timeout: queryTimeoutMs,
      onPoolCreated: freeLostConnections,
    },
    logger: () => {},
  });
  await orm.connect();
  const { em } = orm;
  return { em: () => em.fork(), server: url };
}

async function pidOf(em: ReturnType<Awaited<ReturnType<typeof openPool>>["em"]>): Promise<number> {
  const [row] = await em.execute<{ pid: number }[]>("select pg_backend_pid() as pid");
  return row?.pid ?? 0;
}

describe("more transactions than the pool has places, each of which", () => {
  test("loses its connection, leave places for the next", async () => {
    const { em, server } = await openPool(5_000);
    for (let round = 0; round <= PLACES; round++) {
      const lost = em().transactional(async (inside) => {
        await query(server, "select pg_terminate_backend($1)", [await pidOf(inside)]);
        await inside.execute("select 1");
      });
      await expect(lost).rejects.toThrow(/terminat|queryable/);
    }
    expect(await em().transactional(pidOf)).toBeGreaterThan(0);
  });

  test("gets no answer in time, leave places for the next", async () => {
    const { em } = await openPool(300);
    for (let round = 0; round <= PLACES; round++) {
      await expect(em().transactional((inside) => inside.execute("select pg_sleep(3)"))).rejects.toThrow(/timeout/);
    }
    expect(await em().transactional(pidOf)).toBeGreaterThan(0);
  });
});

test("a connection that is given back whole is used again", async () => {
  const { em } = await openPool(5_000);
  const first = await em().transactional(pidOf);
  expect(await em().transactional(pidOf)).toBe(first);
});
