import { randomUUID } from "node:crypto";
import pino from "pino";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createDatabase, query, superuserUrl } from "#test/fixtures/database.ts";
import { openTestDatabase } from "#test/fixtures/opened-database.ts";
import type { Database } from "../kernel/database.ts";
import type { TrailSource } from "../kernel/trail.ts";
import { appendRecords } from "./append.ts";
import { AuditChain, AuditEntry } from "./audit.entity.ts";
import { recordOf } from "./audit.rules.ts";
import { pruneAudit, startRetention } from "./retention.ts";
import { verifyAudit } from "./verify.ts";

const log = pino({ level: "silent" });
const HOME = randomUUID();
const DAY_MS = 24 * 60 * 60 * 1_000;
/** Noon, so that the rows of a test are told apart by their day. */
const NOW = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS + DAY_MS / 2);
const daysAgo = (days: number) => new Date(NOW.getTime() - days * DAY_MS);

let url: string;
let database: Database;

beforeAll(async () => {
  url = await createDatabase();
  database = await openTestDatabase(url);
});

afterAll(() => database.close());

beforeEach(() => tamper("truncate audit", "delete from audit_chain"));

/** One row for each of these ages, in their order. */
async function write(siteId: string | null, agesInDays: readonly number[]): Promise<void> {
  const source: TrailSource = {
    siteId,
    actor: { type: "system", id: null, name: null },
    address: null,
    requestId: null,
  };
  const records = agesInDays.map((age, i) => {
    const target = { type: "device", id: String(i), name: `Ärger №${i}` };
    return recordOf(source, { action: "device.create", target }, daysAgo(age));
  });
  await database.fork().transactional((em) => appendRecords(em, records));
}

const verify = async () => await verifyAudit(database.fork());
const problems = async () => (await verify()).map(({ problem }) => problem);
const kept = async () => (await database.fork().find(AuditEntry, {}, { orderBy: { id: "asc" } })).map(({ seq }) => seq);

/** Changes the log past its triggers, as whoever owns the server can. */
async function tamper(...statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: superuserUrl(url) });
  await client.connect();
  try {
    await client.query("set session_replication_role = replica");
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

describe("a log that nobody touched", () => {
  test("is whole, however many pages it takes to read", async () => {
    await write(HOME, Array<number>(2_001).fill(0));
    await write(null, [0]);
    const [home, hub] = await verify();
    expect(home).toMatchObject({ siteId: HOME, rows: 2_001, problem: null });
    expect(hub).toMatchObject({ siteId: null, rows: 1, problem: null });
    expect(await query(url, "select last_hash from audit_chain order by id")).toEqual([
      { last_hash: home?.lastHash },
      { last_hash: hub?.lastHash },
    ]);
  });

  test("is read as it was at one moment, while rows come", async () => {
    await write(HOME, Array<number>(3_000).fill(0));
    const enough = new AbortController();
    const writing = (async () => {
      while (!enough.signal.aborted) await write(HOME, [0]);
    })();
    for (let i = 0; i < 5; i++) expect(await problems()).toEqual([null]);
    enough.abort();
    await writing;
  });

  test("is empty at first", async () => {
    expect(await verify()).toEqual([]);
  });
});

describe("a log that somebody touched", () => {
  beforeEach(async () => {
    await write(null, [0]);
    await write(HOME, [0, 0, 0, 0, 0]);
  });

  const HASH_OF_4 = `update audit a set hash = b.hash from audit b where a.site_id = b.site_id and a.seq = 3 and b.seq = 4`;
  const SWAP = `update audit a set target_name = b.target_name from audit b where a.site_id is not null and b.site_id = a.site_id and a.seq + b.seq = 7 and a.seq in (3, 4)`;
  const RENUMBER = `update audit set seq = case seq when 3 then -4 when 4 then -3 end where site_id is not null and seq in (3, 4)`;

  test.each([
    ["an actor", ["update audit set actor_type = 'user' where site_id is not null and seq = 3"], "row 3 was changed"],
    ["a name by one letter", ["update audit set target_name = 'Arger №2' where seq = 3"], "row 3 was changed"],
    ["an instant by a millisecond", ["update audit set at = at + '1 ms' where seq = 3"], "row 3 was changed"],
    ["null to an empty text", ["update audit set reason = '' where seq = 3"], "row 3 was changed"],
    ["a hash", [HASH_OF_4], "row 3 was changed"],
    ["a row in the middle, which is gone", ["delete from audit where seq = 3"], "row 3 is missing"],
    ["the first row, which is gone", ["delete from audit where site_id is not null and seq = 1"], "row 1 is missing"],
    ["the last rows, which are gone", ["delete from audit where seq > 3"], "row 4 is missing, and every row after it"],
    [
      "all rows, which are gone",
      [`delete from audit where site_id = '${HOME}'`],
      "row 1 is missing, and every row after it",
    ],
    ["what two rows say, each for the other", [SWAP], "row 3 was changed"],
    ["the places of two rows", [RENUMBER, "update audit set seq = -seq where seq < 0"], "row 3 was changed"],
    [
      "the end, taken back to an earlier row",
      ["update audit_chain c set last_seq = 3 where site_id is not null"],
      "row 4 stands behind the end of the chain",
    ],
    [
      "the hash of the end",
      [`update audit_chain set last_hash = '${"1".repeat(64)}' where site_id is not null`],
      "its end was changed",
    ],
    [
      "the hash of the beginning",
      [`update audit_chain set pruned_hash = '${"1".repeat(64)}' where site_id is not null`],
      "its beginning was changed",
    ],
    [
      "the head of the chain",
      ["delete from audit_chain where site_id is not null"],
      "the log does not know this chain",
    ],
    [
      "the first rows, as if retention had taken them",
      [
        `update audit_chain c set pruned_seq = 2, pruned_hash = a.hash from audit a where a.site_id = c.site_id and a.seq = 2`,
        "delete from audit where site_id is not null and seq <= 2",
      ],
      "the rows up to 2 are gone, and no row tells of it",
    ],
    [
      "a row of another chain, moved here",
      [
        `update audit set site_id = '${HOME}', seq = 6 where site_id is null`,
        `update audit_chain set last_seq = 6 where site_id is not null`,
      ],
      "row 6 was changed",
    ],
    [
      "a row put before the first",
      [`update audit set seq = 0 where site_id is not null and seq = 1`],
      "row 0 stands before the beginning of the chain",
    ],
  ])("tells of %s", async (_what, statements, problem) => {
    await tamper(...statements);
    expect(await problems()).toContain(problem);
  });
});

describe("retention", () => {
  const before = daysAgo(40);

  test("takes whole days away, and what is left is proved", async () => {
    await write(HOME, [50, 45.6, 41, 40.6, 40.4, 39, 1]); // noon: 40.6 lies on the day before, 40.4 on the day of the limit
    await write(null, [1]);
    await pruneAudit(database.fork(), before, NOW);
    expect(await kept()).toEqual([5, 6, 7, 1, 8]);
    const [chain] = await database.fork().find(AuditChain, { siteId: HOME });
    expect(chain).toMatchObject({ prunedSeq: 4, prunedBefore: daysAgo(40.5), lastSeq: 8 });
    const told = (await database.fork().find(AuditEntry, { action: "audit.prune" })).map(({ details, siteId }) => ({
      siteId,
      details: JSON.parse(details ?? "") as unknown,
    }));
    expect(told).toEqual([{ siteId: HOME, details: { rows: 4, lastSeq: 4, lastHash: chain?.prunedHash } }]);
    expect(await verify()).toMatchObject([
      { rows: 4, problem: null },
      { rows: 1, problem: null },
    ]);
  });

  test("finds nothing more on the same day, and goes on from there on a later one", async () => {
    await write(HOME, [70, 65, 55, 1]);
    await pruneAudit(database.fork(), daysAgo(60), daysAgo(50));
    await pruneAudit(database.fork(), daysAgo(60), daysAgo(50));
    expect(await kept()).toEqual([3, 4, 5]);
    await write(HOME, [0]);
    await pruneAudit(database.fork(), daysAgo(54), NOW);
    expect(await kept()).toEqual([4, 5, 6, 7]);
    expect(await problems()).toEqual([null]);
  });

  test("waits for a row that came late: the chain loses nothing but its beginning", async () => {
    await write(HOME, [50, 1, 48, 1]);
    await pruneAudit(database.fork(), before, NOW);
    expect(await kept()).toEqual([2, 3, 4, 5]);
    expect(await problems()).toEqual([null]);
  });

  test("of a chain whose every row is old leaves one that tells so", async () => {
    await write(HOME, [50, 49]);
    await pruneAudit(database.fork(), before, NOW);
    expect(await kept()).toEqual([3]);
    await write(HOME, [0]);
    expect(await problems()).toEqual([null]);
  });

  test("does not cover what somebody else takes away", async () => {
    await write(HOME, [50, 49, 1, 1]);
    await pruneAudit(database.fork(), before, NOW);
    await tamper(
      "update audit_chain c set pruned_seq = 3, pruned_hash = a.hash from audit a where a.seq = 3",
      "delete from audit where seq = 3",
    );
    expect(await problems()).toEqual(["the rows up to 3 are gone, and no row tells of it"]);
  });

  test("never takes what is younger than thirty days, whoever asks", async () => {
    await write(HOME, [29]);
    const tooSoon = pruneAudit(database.fork(), new Date(Date.now() - 29.9 * DAY_MS), NOW);
    await expect(tooSoon).rejects.toThrow("the audit log keeps at least 30 days");
    expect(await kept()).toEqual([1]);
  });

  test("begins when the hub starts", async () => {
    await write(HOME, [500, 1]);
    const retention = startRetention({ database, keptDays: 100, log });
    await expect.poll(kept).toEqual([2, 3]);
    await retention.close();
  });
});
