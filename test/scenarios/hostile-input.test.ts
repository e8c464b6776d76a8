import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type LeanCaller, leanCaller } from "#test/fixtures/lean-caller.ts";
import { type DescribedRoute, describedRoutes, withField } from "#test/fixtures/open-api.ts";
import { BEHIND_PROXY, addPerson, firstSite, fromElsewhere } from "#test/fixtures/people.ts";
import { rightBody } from "#test/fixtures/right-bodies.ts";
import { freshMac } from "#test/fixtures/scripted-agent.ts";

/** Input that somebody sends who wants to see what breaks. */
const HOSTILE: Readonly<Record<string, unknown>> = {
  "a quote": "'; drop table device; --",
  "a double quote": '" or ""="',
  "a pattern": "%_\\",
  "a NUL": "a\0b",
  "half of a character": "a\ud800",
  "a line break": "a\r\nset-cookie: a=b",
  "a path": "../../../../etc/passwd",
  "a template": "${7*7}{{7*7}}",
  "a word that all objects know": "__proto__",
  "an empty text": "",
  "a text of a megabyte": "x".repeat(1_000_000),
  "an id of nothing": "00000000-0000-0000-0000-000000000000",
  "a huge number": 1e308,
  "a number that is no integer": 0.1 + 0.2,
  "a number below all": -(2 ** 63),
  "a list in a list": [["x"]],
  "an object": { constructor: { prototype: {} }, length: -1, toString: "x" },
  nothing: null,
  "a truth": true,
};
/** What no answer may tell: statements and tables of the database, stacks and paths of the hub. */
const INSIDES = [
  /\bselect\b.*\bfrom\b|\binsert into\b|\bdelete from\b|\bupdate\b.*\bset\b/i,
  /\bpg_|postgres|relation "|violates|syntax error at|invalid byte|sqlstate/i,
  /_hash\b|\$argon2|\$2[aby]\$/i,
  /\n\s+at |\.[jt]s:\d+|node_modules|\/core\//,
];
/** However much is wrong with a body, somebody wants to read what. */
const MAX_REFUSAL_LENGTH = 32_000;
const AT_ONCE = 8;

let hub: TestHub;
let caller: LeanCaller;
let routes: DescribedRoute[];
let secrets: string[];
const ids: Record<string, string> = {};

beforeAll(async () => {
  hub = await startTestHub(BEHIND_PROXY);
  caller = leanCaller(hub.url);
  routes = await describedRoutes(hub.api);
  const idOf = async (path: string, body: object) => (await hub.api.post(path, body)).body.id;
  ids["/api/devices"] = await idOf("/devices", { name: "NAS", mac: freshMac() });
  ids["/api/clusters"] = await idOf("/clusters", { name: "Hall" });
  ids["/api/mqtt-clients"] = await idOf("/mqtt-clients", { name: "Client", permissions: ["read"] });
  ids["/api/sites"] = await idOf("/sites", { name: "Away" });
  ids["/api/users"] = (await addPerson(hub, await firstSite(hub), "user")).id;
  secrets = await everySecret();
});

afterAll(async () => {
  caller.close();
  await hub.close();
});

/** What the hub keeps to itself: its files of secrets, and every hash in its database. */
async function everySecret(): Promise<string[]> {
  const folder = join(hub.dataDir, "secrets");
  const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8").trim());
  const rows = await query(
    hub.databaseUrl,
    `select password_hash as hash from "user" where password_hash is not null union all select password_hash from mqtt_client`,
  );
  const hashes = rows.map(({ hash }) => String(hash));
  expect(files.length).toBeGreaterThan(2);
  expect(hashes.length).toBeGreaterThan(2);
  return [...files, ...hashes];
}

interface Call {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Made when it is sent: all of them together are hundreds of megabytes. */
  readonly body?: () => string;
  /** Whose; the superuser's unless it says so. */
  readonly token?: string;
}

/** What is wrong with the answer; undefined for one that tells nothing. */
async function faultOf({
  method,
  path,
  headers,
  body,
  token = hub.api.token ?? "",
}: Call): Promise<string | undefined> {
  const all = { authorization: `Bearer ${token}`, ...fromElsewhere(), ...headers };
  const { status, text } = await caller.call(method, path, all, body?.());
  // a log-in is refused so; everybody else is the superuser, and slowed down by nothing
  const isDone = status !== 401 && status !== 429;
  if (status >= 500 || !(isDone || path === "/api/auth/login")) return `${status} ${text}`;
  if (status < 400) return undefined;
  if (text.length > MAX_REFUSAL_LENGTH) return `${text.length} characters`;
  const told = INSIDES.find((pattern) => pattern.test(text))?.source ?? secrets.find((secret) => text.includes(secret));
  return told === undefined ? undefined : `tells ${told}: ${text.slice(0, 500)}`;
}

async function faultsOf(calls: readonly Call[]): Promise<string[]> {
  const waiting = calls.values();
  const faults: string[] = [];
  const work = async () => {
    for (const call of waiting) {
      const fault = await faultOf(call).catch((error: unknown) => String(error));
      if (fault !== undefined) faults.push(`${call.method} ${call.path.slice(0, 100)} with ${call.what}: ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return faults;
}

/** The path about something that is there; about nothing where it would be gone. */
function pathOf({ path }: DescribedRoute): string {
  const [, folder = ""] = /^(.*?)\/\{id\}/.exec(path) ?? [];
  return path.replace("{id}", ids[folder] ?? "00000000-0000-4000-8000-000000000000");
}

/** One's own account may be changed ten times a minute. */
const OWN = "PATCH /api/auth/me";

/** Those, and what would end the session of all calls. */
const SPARED = new Set([OWN, "POST /api/auth/logout"]);

const isTried = ({ fields, method, name }: DescribedRoute) =>
  fields.length > 0 && name !== OWN && (method !== "PUT" || name === "PUT /api/config/oidc"); // the others do what PATCH does

function callsWith(route: DescribedRoute): Call[] {
  return route.fields.flatMap((field) =>
    Object.entries(HOSTILE).map(([what, value]): Call => {
      const body = () => JSON.stringify(withField(rightBody(route.name), field, value));
      return { what: `${what} as ${field}`, method: route.method, path: pathOf(route), body };
    }),
  );
}

describe("a refusal tells nothing of the hub's insides, and none is a failure", () => {
  test("whatever stands in a field of a body", async () => {
    const calls = routes.filter(isTried).flatMap(callsWith);
    expect(calls.length).toBeGreaterThan(2_000);
    expect(await faultsOf(calls)).toEqual([]);
  }, 300_000);

  test("whatever stands in a field of one's own account", async () => {
    const calls = routes.filter(({ name }) => name === OWN).flatMap(callsWith);
    const site = await firstSite(hub);
    const people = Math.ceil(calls.length / 10);
    const tokens = await Promise.all(
      Array.from({ length: people }, async () => (await addPerson(hub, site, "user")).token),
    );
    expect(calls.length).toBeGreaterThan(50);
    expect(await faultsOf(calls.map((call, n) => ({ ...call, token: tokens[n % people] ?? "" })))).toEqual([]);
  });

  test("whatever stands in a query", async () => {
    const texts = Object.entries(HOSTILE).flatMap(([what, value]) =>
      typeof value === "string" ? [[what, value]] : [],
    );
    const calls = routes.flatMap((route) =>
      route.parameters.flatMap((name) =>
        texts.map(([what = "", value = ""]): Call => {
          const query = `${name}=${encodeURIComponent(value.slice(0, 8_000).toWellFormed())}`;
          return { what: `${what} as ${name}`, method: route.method, path: `${pathOf(route)}?${query}` };
        }),
      ),
    );
    expect(calls.length).toBeGreaterThan(500);
    expect(await faultsOf(calls)).toEqual([]);
  });

  test("whatever stands in a path", async () => {
    const parts = ["'", "%27%20or%201=1", "%00", "..%2f..", "%ED%A0%80", "%", "constructor", "x".repeat(5_000)];
    const calls = routes
      .filter(({ path }) => path.includes("{id}"))
      .flatMap(({ method, path }) =>
        parts.map((part): Call => ({ what: part, method, path: path.replace("{id}", part) })),
      );
    expect(await faultsOf(calls)).toEqual([]);
  });

  test("whatever stands in a header", async () => {
    const texts = ["'; drop table site; --", "__proto__", "%00", "\u00ff\u00fe", "x".repeat(8_000), ""];
    const names = [
      "x-powerbeacon-site",
      "last-event-id",
      "user-agent",
      "cookie",
      "x-request-id",
      "referer",
      "origin",
      "via",
    ];
    const paths = ["/api/devices", "/api/events", "/api/auth/me", "/api/config/oidc"];
    const calls = names.flatMap((name) =>
      paths.flatMap((path) =>
        texts.map((text): Call => ({
          what: `${text} as ${name}`,
          method: "GET",
          path,
          headers: { [name]: text },
        })),
      ),
    );
    for (const text of texts) {
      const headers = { "user-agent": text };
      const body = () => JSON.stringify({ username: "admin", password: text });
      calls.push({ what: `${text} as user-agent`, method: "POST", path: "/api/auth/login", headers, body });
    }
    expect(await faultsOf(calls)).toEqual([]);
  });

  test.each([
    ["what is no JSON", '{"name": '],
    ["a prototype", '{"name": "x", "__proto__": {"role": "superuser"}}'],
    ["a prototype behind a constructor", '{"constructor": {"prototype": {"role": "superuser"}}}'],
    ["the same field twice", '{"name": "x", "name": {"a": 1}}'],
    ["a list", "[]"],
    ["a text", '"x"'],
    ["nothing", "null"],
    ["ten thousand lists in each other", `{"name": ${"[".repeat(10_000)}${"]".repeat(10_000)}}`],
    ["seventy thousand fields", `{${Array.from({ length: 70_000 }, (_, n) => `"f${n}":1`).join()}}`],
    ["one field with a name of a megabyte", `{"${"f".repeat(1_000_000)}": 1}`],
    ["more than a megabyte", `{"name": "${"x".repeat(2 ** 20)}"}`],
  ])("when a body is %s", async (what, body) => {
    const calls = routes
      .filter(({ method, name }) => ["POST", "PATCH"].includes(method) && !SPARED.has(name))
      .map((route): Call => ({ what, method: route.method, path: pathOf(route), body: () => body }));
    expect(await faultsOf(calls)).toEqual([]);
  });

  test("and all is as it was", async () => {
    expect((await hub.api.get(`/devices/${ids["/api/devices"]}`)).status).toBe(200);
    const superusers = await query(hub.databaseUrl, 'select username from "user" where superuser');
    expect(superusers).toContainEqual({ username: "admin" });
    expect(({} as Record<string, unknown>)["role"]).toBeUndefined();
  });
});
