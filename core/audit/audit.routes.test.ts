import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SITE_HEADER } from "#contracts/api/sites.ts";
import { type Api, type ApiAnswer, createApi } from "#test/fixtures/api.ts";
import { query, superuserUrl } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import type { TrailEvent, TrailSource } from "../kernel/trail.ts";
import { appendStatement } from "./append.ts";
import { recordOf } from "./audit.rules.ts";

const PASSWORD = "correct horse battery";

let hub: TestHub;
let admin: Api;
let home: string;
let office: string;

beforeAll(async () => {
  hub = await startTestHub();
  const [site] = (await hub.api.get("/sites")).body.items;
  home = site.id;
  office = (await hub.api.post("/sites", { name: "Office" })).body.id;
  await hub.api.post("/users", { username: "ann", password: PASSWORD, role: "admin" });
  admin = await createApi(hub.url).logIn({ username: "ann", password: PASSWORD });
});

afterAll(() => hub.close());

/** The log is append-only, and a test wants one of its own. */
beforeEach(async () => {
  await hub.api.get("/audit"); // brings in what the test before noted
  await query(
    superuserUrl(hub.databaseUrl),
    "set session_replication_role = replica; truncate audit; delete from audit_chain",
  );
});

async function write(siteId: string | null, event: TrailEvent, source: Partial<TrailSource> = {}): Promise<void> {
  await writeAll([[siteId, event, source]]);
}

async function writeAll(
  rows: readonly (readonly [siteId: string | null, event: TrailEvent, source?: Partial<TrailSource>, at?: Date])[],
): Promise<void> {
  const actor = { type: "user" as const, id: randomUUID(), name: "bob" };
  const records = rows.map(([siteId, event, source, at = new Date()]) =>
    recordOf({ siteId, actor, address: "192.168.1.7", requestId: "r", ...source }, event, at),
  );
  await query(hub.databaseUrl, "select audit_append($1::jsonb)", appendStatement(records)[1]);
}

const device = (name: string): TrailEvent => ({ action: "device.create", target: { type: "device", id: "1", name } });
const names = ({ body }: ApiAnswer) => body.items.map((row: { target: { name: string } }) => row.target.name);

describe("the log", () => {
  test("tells who did what on what from where, newest first", async () => {
    await write(home, device("NAS"));
    await write(home, { ...device("PC"), result: "refused", reason: "DUPLICATE", details: { fields: ["mac"] } });
    const { status, body } = await admin.get("/audit");
    expect(status).toBe(200);
    expect(body).toMatchObject({ total: 2, next: null });
    expect(body.items[0]).toEqual({
      seq: 2,
      scope: "site",
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      actor: { type: "user", id: expect.any(String), name: "bob" },
      action: "device.create",
      target: { type: "device", id: "1", name: "PC" },
      address: "192.168.1.7",
      result: "refused",
      reason: "DUPLICATE",
      details: { fields: ["mac"] },
      requestId: "r",
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(body.items[1]).toMatchObject({ seq: 1, result: "ok", details: null });
  });

  test("is a site's own for its admin, and the hub's, too, for a superuser, who picks; nobody sees another site's", async () => {
    await write(home, device("at home"));
    await write(null, device("of the hub"));
    await write(office, device("in the office"));
    expect(names(await admin.get("/audit"))).toEqual(["at home"]);
    expect(names(await admin.get("/audit?scope=site"))).toEqual(["at home"]);
    expect(names(await hub.api.get("/audit"))).toEqual(["of the hub", "at home"]);
    expect(names(await hub.api.get("/audit?scope=site"))).toEqual(["at home"]);
    expect(names(await hub.api.get("/audit?scope=hub"))).toEqual(["of the hub"]);
    const inOffice = { [SITE_HEADER]: "office" };
    expect(names(await hub.api.get("/audit", inOffice))).toEqual(["in the office", "of the hub"]);
    expect((await hub.api.get("/audit/export", inOffice)).body).toHaveLength(2);
    expect((await admin.get("/audit/export")).body).toHaveLength(1);
  });

  test("of the hub is refused to an admin", async () => {
    for (const path of ["/audit?scope=hub", "/audit/export?scope=hub"])
      expect(await admin.get(path)).toMatchObject({ status: 403, body: { code: "FORBIDDEN" } });
  });

  test("comes in pages that neither repeat nor hide a row while more are written", async () => {
    for (let i = 1; i <= 7; i++) await write(i % 2 ? home : null, device(`${i}`));
    const first = await hub.api.get("/audit?limit=3");
    expect(first.body.total).toBe(7);
    await write(home, device("8"));
    const second = await hub.api.get(`/audit?limit=3&cursor=${first.body.next}`);
    const third = await hub.api.get(`/audit?limit=3&cursor=${second.body.next}`);
    expect([names(first), names(second), names(third)]).toEqual([["7", "6", "5"], ["4", "3", "2"], ["1"]]);
    expect(third.body.next).toBeNull();
    for (const cursor of ["x", "-1", "1e9", "9".repeat(40)])
      expect(await hub.api.get(`/audit?cursor=${cursor}`)).toMatchObject({
        status: 422,
        body: { errors: [{ path: "cursor" }] },
      });
  });

  test.each([
    ["action=device.wake", ["wake"]],
    ["result=refused", ["100% wool", "wake"]],
    ["actor=token", ["100% wool"]],
    ["q=WOOL", ["100% wool"]],
    ["q=%25", ["100% wool"]],
    ["q=_", []],
    ["q=carl", ["100% wool"]],
    ["q=10.0.0.9", ["wake"]],
    ["from=2026-01-02T00:00:00Z", ["100% wool", "wake"]],
    ["to=2026-01-02T00:00:00Z", ["old"]],
    ["from=2026-01-01T00:00:00Z&to=2026-01-03T00:00:00Z&q=a", ["wake"]],
    ["from=2027-01-01T00:00:00Z", []],
  ])("finds what fits %s", async (filter, found) => {
    const refused = { result: "refused" as const, reason: "FORBIDDEN" };
    const token = { type: "token" as const, id: "t", name: "Carl" };
    const day = (n: number) => new Date(`2026-01-0${n}T00:00:00Z`);
    await writeAll([
      [home, device("old"), {}, day(1)],
      [home, { ...device("wake"), action: "device.wake", ...refused }, { address: "10.0.0.9" }, day(2)],
      [home, { ...device("100% wool"), ...refused }, { actor: token }, day(3)],
    ]);
    expect(names(await admin.get(`/audit?${filter}`))).toEqual(found);
    const exported = (await admin.get(`/audit/export?${filter}`)).body as { target: { name: string } }[];
    expect(exported.map(({ target }) => target.name)).toEqual(found.toReversed());
  });

  test.each(["action=device.explode", "from=yesterday", "from=0000-01-01T00:00:00Z", "q=%00", "scope=all", "x=1"])(
    "refuses %s",
    async (filter) => {
      for (const path of ["/audit", "/audit/export"])
        expect(await admin.get(`${path}?${filter}`)).toMatchObject({ status: 422, body: { code: "INVALID_INPUT" } });
    },
  );

  test("shows a row that somebody tampered with as it is", async () => {
    await write(home, { ...device("NAS"), details: { fields: [] } });
    const tamper = "set session_replication_role = replica; update audit set details = '{'";
    await query(superuserUrl(hub.databaseUrl), tamper);
    expect((await admin.get("/audit")).body.items[0].details).toEqual({ unreadable: "{" });
  });

  test("tells of what happened just now, written behind or not", async () => {
    await createApi(hub.url).post("/auth/login", { username: "ann", password: "wrong" });
    await admin.post("/clusters", { name: "Lab" });
    const actions = (await hub.api.get("/audit")).body.items.map((row: { action: string }) => row.action);
    expect(actions).toEqual(expect.arrayContaining(["session.login", "cluster.create"]));
  });
});

describe("an export", () => {
  const rawExport = async (path: string) =>
    await fetch(`${hub.url}/api/audit/export${path}`, { headers: { authorization: `Bearer ${admin.token}` } });

  test("as CSV follows RFC 4180 and starts no formula", async () => {
    const nasty = ['=cmd|"/c calc"!A1', "+1", "-1", "@SUM(A1)", "\t=1", 'a "quoted", b', "two\r\nlines", "plain"];
    for (const name of nasty) await write(home, device(name), { actor: { type: "user", id: null, name: null } });
    const answer = await rawExport("?format=csv");
    expect(answer.headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
    const day = new Date().toISOString().slice(0, 10);
    expect(answer.headers.get("content-disposition")).toBe(`attachment; filename="powerbeacon-audit-${day}.csv"`);
    const text = await answer.text();
    expect(text.split("\r\n")[0]).toBe(
      "seq,scope,at,actorType,actorId,actorName,action,targetType,targetId,targetName,address,result,reason,details,requestId,hash",
    );
    const cells = text
      .split(/device,1,/)
      .slice(1)
      .map((rest) => rest.slice(0, rest.indexOf(",192.168.1.7,")));
    expect(cells).toEqual([
      `"'=cmd|""/c calc""!A1"`,
      "'+1",
      "'-1",
      "'@SUM(A1)",
      "'\t=1",
      '"a ""quoted"", b"',
      '"two\r\nlines"',
      "plain",
    ]);
    expect(text.endsWith("\r\n")).toBe(true);
  });

  test("as JSON has the rows of the list, oldest first", async () => {
    for (let i = 0; i < 3; i++) await write(home, device(`${i}`));
    const list = (await admin.get("/audit")).body.items;
    const answer = await rawExport("?format=json");
    expect(answer.headers.get("content-disposition")).toContain(".json");
    expect(await answer.json()).toEqual(list.toReversed());
    expect(await (await rawExport("")).json()).toHaveLength(3);
  });

  test("of nothing is an empty array, or the names of the columns", async () => {
    expect(await (await rawExport("")).json()).toEqual([]);
    expect((await (await rawExport("?format=csv")).text()).split("\r\n")).toHaveLength(2);
  });

  test("of many rows has those that were there when it began, each once, however many come meanwhile", async () => {
    const rows = (count: number) => writeAll(Array.from({ length: count }, (_, i) => [home, device(`${i}`)] as const));
    await rows(2_500);
    const answer = await rawExport("");
    const reader = answer.body?.getReader();
    let text = new TextDecoder().decode((await reader?.read())?.value);
    await rows(1_500);
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read())
      text += new TextDecoder().decode(part.value);
    const exported = JSON.parse(text) as { seq: number }[];
    expect(exported.map(({ seq }) => seq)).toEqual(Array.from({ length: 2_500 }, (_, i) => i + 1));
  });

  test("that cannot be read is refused in a sentence, before it begins", async () => {
    const name = new URL(hub.databaseUrl).pathname.slice(1);
    const server = superuserUrl(hub.databaseUrl, "postgres");
    await query(server, `alter database ${name} with allow_connections false`);
    await query(server, "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [name]);
    expect(await admin.get("/audit/export")).toMatchObject({ status: 503, body: { code: "DATABASE_UNAVAILABLE" } });
    await query(server, `alter database ${name} with allow_connections true`);
    await expect.poll(async () => (await admin.get("/audit/export")).status).toBe(200);
  });
});
