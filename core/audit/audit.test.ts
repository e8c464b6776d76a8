import { randomUUID } from "node:crypto";
import type { EntityManager } from "@mikro-orm/postgresql";
import pino from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TrailSource } from "../kernel/trail.ts";
import { createDatabase, query, superuserUrl } from "#test/fixtures/database.ts";
import { openTestDatabase } from "#test/fixtures/opened-database.ts";
import type { Database } from "../kernel/database.ts";
import { isDatabaseGone } from "../kernel/database-gone.ts";
import { AuditEntry } from "./audit.entity.ts";
import { BEGINNING, hashOf } from "./audit.rules.ts";
import { readEntries } from "./entries.ts";
import { type Audit, startAudit } from "./audit.service.ts";
import { verifyAudit } from "./verify.ts";

const log = pino({ level: "silent" });
const HOME = randomUUID();
const OFFICE = randomUUID();
const ANN: TrailSource = {
  siteId: HOME,
  actor: { type: "user", id: randomUUID(), name: "ann" },
  address: "192.168.1.7",
  requestId: randomUUID(),
};

let url: string;
let database: Database;
let audit: Audit;

beforeAll(async () => {
  url = await createDatabase();
  database = await openTestDatabase(url);
});

afterAll(() => database.close());

/** The log is append-only, and each test wants one of its own. */
beforeEach(async () => {
  const empty = 'set session_replication_role = replica; truncate audit; delete from audit_chain; delete from "user"';
  await query(superuserUrl(url), empty);
  audit = startAudit({ database, log });
});

afterEach(() => audit.close());

/** A change as any: a row somewhere, and its row in the log. */
async function change(em: EntityManager, username: string, source = ANN): Promise<void> {
  await em.transactional(async (em) => {
    await em.execute(`insert into "user" (id, username, created_at, enabled) values (?, ?, now(), true)`, [
      randomUUID(),
      username,
    ]);
    await audit.trail(source).write(em, { action: "user.create", target: { type: "user", id: null, name: username } });
  });
}

const rows = async () => await database.fork().find(AuditEntry, {}, { orderBy: { id: "asc" } });
const usernames = async () =>
  (await query(url, 'select username from "user" order by 1')).map((row) => row["username"]);
const breakIt = () => query(url, "alter function audit_append(jsonb) rename to audit_append_gone");
const mendIt = () => query(url, "alter function audit_append_gone(jsonb) rename to audit_append");

describe("a row of the log", () => {
  test("tells who did what on what from where, chained to the one before", async () => {
    await change(database.fork(), "bob");
    await database.fork().transactional((em) =>
      audit.trail(ANN).write(em, {
        action: "device.wake",
        target: { type: "device", id: "1", name: "NAS" },
        result: "refused",
        reason: "NO_AGENT",
        details: { source: "http" },
      }),
    );
    const [first, second] = await rows();
    expect(first).toMatchObject({
      siteId: HOME,
      seq: 1,
      actorType: "user",
      actorId: ANN.actor.id,
      actorName: "ann",
      action: "user.create",
      targetType: "user",
      targetId: null,
      targetName: "bob",
      address: "192.168.1.7",
      result: "ok",
      reason: null,
      details: null,
      requestId: ANN.requestId,
    });
    expect(second).toMatchObject({ seq: 2, result: "refused", reason: "NO_AGENT", details: '{"source":"http"}' });
    expect(first?.hash).toBe(hashOf(BEGINNING, 1, first as AuditEntry));
    expect(second?.hash).toBe(hashOf(first?.hash ?? "", 2, second as AuditEntry));
  });

  test("is there exactly when its change is", async () => {
    await change(database.fork(), "bob");
    await expect(change(database.fork(), "BOB")).rejects.toThrow("user_username_unique");
    await expect(
      database.fork().transactional(async (em) => {
        await audit.trail(ANN).write(em, { action: "user.delete" });
        throw new Error("changed my mind");
      }),
    ).rejects.toThrow("changed my mind");
    await change(database.fork(), "carl");
    expect((await rows()).map(({ seq, targetName }) => [seq, targetName])).toEqual([
      [1, "bob"],
      [2, "carl"],
    ]);
  });

  test("belongs to the chain that it is written in, each with numbers of its own", async () => {
    const trail = audit.trail(ANN);
    await database.fork().transactional(async (em) => {
      await trail.write(em, { action: "user.create" });
      await trail.in(null).write(em, { action: "site.create" });
      await trail.in(OFFICE).write(em, { action: "user.create" });
      await trail.write(em, { action: "user.delete" });
    });
    expect((await rows()).map(({ siteId, seq }) => [siteId, seq])).toEqual([
      [HOME, 1],
      [null, 1],
      [OFFICE, 1],
      [HOME, 2],
    ]);
  });

  test("is as long as its columns, holds whatever a client sends, and is proved all the same", async () => {
    const odd = `${"x".repeat(198)}👍👍\0`;
    const actor = { type: "mqtt-client" as const, id: odd, name: odd };
    const source = { ...ANN, actor, address: odd, requestId: odd };
    const details = { topic: "t".repeat(65_535), list: Array(3_000).fill("\uD800") };
    await database.fork().transactional(async (em) => {
      const target = { type: odd, id: odd, name: odd };
      await audit.trail(source).write(em, { action: "request.refused", target, reason: odd, details });
      await audit.trail(source).write(em, { action: "request.refused", details: { topic: "t".repeat(65_535), n: 1 } });
    });
    const [first, second] = await rows();
    expect(first).toMatchObject({
      actorName: `${"x".repeat(198)}👍`,
      address: "x".repeat(64),
      targetType: "x".repeat(16),
    });
    expect(JSON.parse(first?.details ?? "")).toEqual({ leftOut: expect.stringMatching(/^\d+ characters$/) });
    expect(JSON.parse(second?.details ?? "")).toEqual({ topic: "t".repeat(400), n: 1 });
    expect(await verifyAudit(database.fork())).toMatchObject([{ rows: 2, problem: null }]);
  });

  test("is numbered without gaps when many are written at the same time", async () => {
    const changes = Array.from({ length: 40 }, async (_, i) => {
      audit.trail(ANN).note({ action: "device.wake" });
      await change(database.fork(), `user${i}`, { ...ANN, siteId: i % 2 ? HOME : OFFICE });
    });
    await Promise.all(changes);
    await audit.flush();
    expect((await verifyAudit(database.fork())).toSorted((a, b) => a.rows - b.rows)).toMatchObject([
      { siteId: OFFICE, rows: 20, problem: null },
      { siteId: HOME, rows: 60, problem: null },
    ]);
    expect(audit.counts).toEqual({ written: 80, waiting: 0, lost: 0, refused: 0, unnoted: 0 });
  });

  test("is never written beside a transaction", async () => {
    await expect(audit.trail(ANN).write(database.fork(), { action: "user.create" })).rejects.toThrow(
      "in the transaction of its change",
    );
    expect(await rows()).toEqual([]);
  });
});

describe("a log that cannot be written", () => {
  test("refuses the change, says so, and is well again with the next row", async () => {
    const states: string[] = [];
    audit.onChange(() => states.push(audit.state));
    await breakIt();
    await expect(change(database.fork(), "bob")).rejects.toMatchObject({ code: "AUDIT_UNAVAILABLE", status: 503 });
    await expect(change(database.fork(), "bob")).rejects.toMatchObject({ code: "AUDIT_UNAVAILABLE" });
    expect({ usernames: await usernames(), states, refused: audit.counts.refused }).toEqual({
      usernames: [],
      states: ["failing"],
      refused: 2,
    });
    await mendIt();
    await change(database.fork(), "bob");
    expect({ usernames: await usernames(), states }).toEqual({ usernames: ["bob"], states: ["failing", "ok"] });
  });

  test("counts what was noted and is lost", async () => {
    await breakIt();
    audit.trail(ANN).note({ action: "device.wake" });
    audit.trail(ANN).note({ action: "device.wake" });
    expect(audit.counts.waiting).toBe(2);
    await audit.flush();
    expect(audit.counts).toEqual({ written: 0, waiting: 0, lost: 2, refused: 0, unnoted: 0 });
    expect(audit.state).toBe("failing");
    await mendIt();
    audit.trail(ANN).note({ action: "device.wake" });
    await audit.flush();
    expect(audit.counts).toMatchObject({ written: 1, lost: 2 });
    expect(audit.state).toBe("ok");
  });

  test("because the database is gone is not called failing: the error says what it is", async () => {
    const interrupted = database.fork().transactional(async (em) => {
      const [backend] = await em.execute<{ pid: number }[]>("select pg_backend_pid() as pid");
      await query(superuserUrl(url), "select pg_terminate_backend($1)", [backend?.pid]);
      await audit.trail(ANN).write(em, { action: "user.create" });
    });
    await expect(interrupted).rejects.toSatisfy(isDatabaseGone);
    expect([audit.state, audit.counts.refused]).toEqual(["ok", 0]);
  });
});

test("what was noted while the database was away is written in its order when it is back", async () => {
  const name = new URL(url).pathname.slice(1);
  const server = superuserUrl(url, "postgres");
  await query(server, `alter database ${name} with allow_connections false`);
  await query(server, "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [name]);
  for (let i = 0; i < 5; i++) audit.trail(ANN).note({ action: "device.wake", details: { i } });
  await expect(audit.flush()).rejects.toSatisfy(isDatabaseGone);
  for (let i = 5; i < 9; i++) audit.trail(ANN).note({ action: "device.wake", details: { i } });
  expect(audit.counts).toMatchObject({ waiting: 9, lost: 0 });
  expect(audit.state).toBe("ok");
  await query(server, `alter database ${name} with allow_connections true`);
  await expect.poll(() => audit.counts.waiting).toBe(0);
  expect((await rows()).map(({ details }) => JSON.parse(details ?? "").i)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

describe("somebody in one site", () => {
  test("writes and sees the rows of this site alone", async () => {
    await database.fork().transactional((em) => audit.trail(ANN).in(OFFICE).write(em, { action: "user.create" }));
    await database.fork().transactional((em) => audit.trail(ANN).in(null).write(em, { action: "site.create" }));
    await database.bound(HOME).transactional((em) => audit.trail(ANN).write(em, { action: "device.create" }));
    for (const siteId of [OFFICE, null]) {
      const elsewhere = database
        .bound(HOME)
        .transactional((em) => audit.trail(ANN).in(siteId).write(em, { action: "device.create" }));
      await expect(elsewhere).rejects.toMatchObject({ code: "AUDIT_UNAVAILABLE" });
    }
    const own = [
      await database.bound(HOME).find(AuditEntry, {}),
      await readEntries(database.bound(HOME), {}, { by: "id", limit: 10 }),
    ];
    for (const rows of own) expect(rows.map(({ action }) => action)).toEqual(["device.create"]);
  });

  test.each([
    "insert into audit (site_id, seq, at, actor_type, action, result, hash) values (current_setting('powerbeacon.site')::uuid, 9, now(), 'user', 'user.create', 'ok', 'x')",
    "update audit set actor_name = 'mallory'",
    "delete from audit",
    "truncate audit",
    "select * from audit_chain",
    "update audit_chain set last_seq = 0",
    "select * from audit_prune(1, now() - interval '31 days')",
  ])("may not %s", async (statement) => {
    await database.bound(HOME).transactional((em) => audit.trail(ANN).write(em, { action: "device.create" }));
    await expect(database.bound(HOME).execute(statement)).rejects.toMatchObject({ code: "42501" });
    expect(await verifyAudit(database.fork())).toMatchObject([{ rows: 1, problem: null }]);
  });
});

describe.each([
  ["the hub's own login", (url: string) => url],
  ["a superuser of the database", (url: string) => superuserUrl(url)],
])("%s", (_who, as) => {
  test.each([
    "update audit set actor_name = 'mallory'",
    "delete from audit",
    "truncate audit",
    "truncate audit cascade",
  ])("is stopped at %s", async (statement) => {
    await change(database.fork(), "bob");
    await expect(query(as(url), statement)).rejects.toThrow("the audit log is append-only");
    expect(await verifyAudit(database.fork())).toMatchObject([{ rows: 1, problem: null }]);
  });
});
