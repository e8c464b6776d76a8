import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EnrolGrant } from "#contracts/enrolment.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { BEHIND_PROXY } from "#test/fixtures/people.ts";
import { enrolBody } from "#test/fixtures/scripted-agent.ts";
import type { Cell } from "./mqtt-access-table.ts";
import { type AccessWorld, SEATS, type Seat, expectedUnseen, openAccessWorld } from "./mqtt-access-world.ts";

/** What EMQX and mosquitto-go-auth are told, asked in their own words, for everybody and every topic. */

const SECRET = "what-a-broker-shows-the-hub-when-it-asks";
const HUB = { MQTT_USERNAME: "the-hub", MQTT_PASSWORD: "the password of the hub" };
const bearer = { authorization: `Bearer ${SECRET}` };
const basic = `Basic ${Buffer.from(`broker:${SECRET}`).toString("base64")}`;

let hub: TestHub;
let world: AccessWorld;

beforeAll(async () => {
  hub = await startTestHub({ ...BEHIND_PROXY, HA_DISCOVERY: "off", MQTT_AUTH_SECRET: SECRET });
  world = await openAccessWorld(hub);
}, 120_000);

afterAll(async () => {
  await world.close();
  await hub.close();
});

type Answer = Readonly<Record<string, unknown>>;

async function askAt(url: string, path: string, body: object, headers: Record<string, string> = bearer, form = false) {
  const answer = await fetch(`${url}/api/mqtt/${path}`, {
    method: "POST",
    headers: { "content-type": form ? "application/x-www-form-urlencoded" : "application/json", ...headers },
    body: form ? new URLSearchParams(body as Record<string, string>).toString() : JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Answer };
}

const ask = (path: string, body: object, headers?: Record<string, string>, form?: boolean) =>
  askAt(hub.url, path, body, headers, form);

const shownBy = (seat: Seat) => {
  const { username = "", password = "", clientId = "" } = world.clientOf(seat).client.options;
  return { username, password: String(password), clientid: clientId };
};

const emqx = async (seat: Seat, action: "publish" | "subscribe", topic: string, retain = false) => {
  const { username, clientid } = shownBy(seat);
  const asked = { username, clientid, topic, action, qos: "1", retain: String(retain) };
  return (await ask("authorize", asked)).body["result"];
};
const goAuth = async (seat: Seat, acc: 1 | 2 | 4, topic: string) => {
  const { username, clientid } = shownBy(seat);
  return (await ask("go-auth/acl", { username, clientid, topic, acc })).status === 200;
};

/** The names of those cells where it is so. */
async function where(isSo: (cell: Cell) => boolean | Promise<boolean>): Promise<string[]> {
  const answers = await Promise.all(world.cells.map(async (cell) => ((await isSo(cell)) ? [cell.name] : [])));
  return answers.flat();
}

/** What the others of the other site see, those of this one show already. */
const ASKED = SEATS.filter(({ site, kind }) => site === "home" || kind === "agent" || kind === "read");
/** Both brokers get their answers from one place. */
const ASKED_TWICE: ReadonlySet<string> = new Set(["agent", "limited", "admin"]);

describe.each(ASKED)("$name", (seat) => {
  test("comes in with what it was given", async () => {
    const answer = await ask("authenticate", shownBy(seat));
    expect(answer).toEqual({ status: 200, body: { result: "allow", is_superuser: false } });
  });

  test("may read what the table says", async () => {
    const right = await where((cell) => expectedUnseen(world.cells, seat, cell, ["r"]));
    expect(await where(async (cell) => (await emqx(seat, "subscribe", cell.topic)) === "allow")).toEqual(right);
  });

  test("may publish what the table says, retained where the broker tells", async () => {
    const may = (...rights: ("p" | "t" | "e")[]) => where((cell) => expectedUnseen(world.cells, seat, cell, rights));
    const publishes = (retain: boolean) =>
      where(async (cell) => (await emqx(seat, "publish", cell.topic, retain)) === "allow");
    expect(await publishes(false)).toEqual(await may("p"));
    expect(await publishes(true)).toEqual(await may("t", "e"));
  });

  test("may hold any wildcard where each message is asked about, and none that reaches into the other site", async () => {
    expect(await goAuth(seat, 4, "powerbeacon/#")).toBe(true);
    for (const filter of ["#", "powerbeacon/#", "powerbeacon/device/+/state", "powerbeacon/cluster/+/wake"])
      expect([filter, await emqx(seat, "subscribe", filter)]).toEqual([filter, "deny"]);
    const { username } = shownBy(seat);
    expect(await emqx(seat, "subscribe", `powerbeacon/client/${username}/response/#`)).toBe("allow");
    expect(await emqx(seat, "subscribe", "powerbeacon/client/+/response/#")).toBe("deny");
  });
});

test.each(ASKED.filter(({ name }) => ASKED_TWICE.has(name)))(
  "$name is told the same by mosquitto-go-auth",
  async (seat) => {
    const right = (...rights: ("r" | "p" | "t" | "e")[]) =>
      where((cell) => expectedUnseen(world.cells, seat, cell, rights));
    await ask("go-auth/user", shownBy(seat));
    expect(await where((cell) => goAuth(seat, 1, cell.topic))).toEqual(await right("r"));
    expect(await where((cell) => goAuth(seat, 2, cell.topic))).toEqual(await right("p", "t", "e"));
  },
);

describe("who comes in", () => {
  const seat = SEATS.find(({ kind }) => kind === "read") as Seat;
  const agent = SEATS.find(({ kind }) => kind === "agent") as Seat;

  test.each([
    ["with a wrong password", () => ({ ...shownBy(seat), password: "wrong" }), "deny"],
    ["without a password", () => ({ ...shownBy(seat), password: undefined }), "deny"],
    ["as somebody whom the hub does not know", () => ({ username: "zigbee2mqtt", password: "its own" }), "ignore"],
    ["as nobody", () => ({ clientid: "x" }), "ignore"],
    ["as a person who is not there", () => ({ username: "~nobody", password: "pb_x" }), "deny"],
    ["with the client id of an agent", () => ({ ...shownBy(seat), clientid: shownBy(agent).username }), "deny"],
    ["as a stranger with that", () => ({ username: "zigbee2mqtt", clientid: shownBy(agent).username }), "deny"],
    ["with the client id of the hub", () => ({ ...shownBy(seat), clientid: "powerbeacon-hub-powerbeacon" }), "deny"],
  ] as const)("%s: %s", async (_how, shown, result) => {
    expect((await ask("authenticate", shown())).body).toEqual({ result, is_superuser: false });
    expect((await ask("go-auth/user", shown())).status).toBe(403);
  });

  test("is told in every form of mosquitto-go-auth", async () => {
    const { username, password, clientid } = shownBy(seat);
    for (const form of [false, true]) {
      const good = await ask("go-auth/user", { username, password, clientid }, { authorization: basic }, form);
      expect(good).toEqual({ status: 200, body: { ok: true, error: "" } });
      const bad = await ask("go-auth/user", { username, password: "wrong" }, { authorization: basic }, form);
      expect(bad).toEqual({ status: 403, body: { ok: false, error: "not allowed" } });
      const topic = "powerbeacon/hub/status";
      expect((await ask("go-auth/acl", { username, topic, acc: "1" }, bearer, form)).status).toBe(200);
      expect((await ask("go-auth/acl", { username, topic, acc: "3" }, bearer, form)).status).toBe(403);
      expect((await ask("go-auth/superuser", { username }, bearer, form)).status).toBe(403);
    }
  });

  test("and whose credential is revoked then is denied, whoever else the broker asks", async () => {
    const { body } = await hub.api.post("/mqtt-clients", { name: "Brief", permissions: ["read"] });
    const { id, username, password } = body;
    const question = { username, clientid: "brief", topic: "powerbeacon/hub/status", action: "subscribe" };
    expect((await ask("authenticate", { username, password, clientid: "brief" })).body["result"]).toBe("allow");
    await hub.api.delete(`/mqtt-clients/${id}`);
    expect((await ask("authorize", question)).body["result"]).toBe("deny");
    expect((await ask("authenticate", { username, password, clientid: "brief" })).body["result"]).toBe("deny");
  });

  test("may do what a person's token may only where it was shown", async () => {
    const person = SEATS.find(({ kind }) => kind === "admin") as Seat;
    const { username, clientid } = shownBy(person);
    const question = { username, topic: "powerbeacon/hub/status", action: "subscribe" };
    expect((await ask("authorize", { ...question, clientid })).body["result"]).toBe("allow");
    expect((await ask("authorize", { ...question, clientid: "elsewhere" })).body["result"]).toBe("deny");
  });
});

test.each([
  ["nothing", {}],
  ["another secret", { authorization: "Bearer another-secret" }],
  ["another password", { authorization: `Basic ${Buffer.from("broker:another").toString("base64")}` }],
  ["a secret of no known kind", { authorization: `Digest ${SECRET}` }],
])("a broker that shows %s is told nothing", async (_what, headers) => {
  for (const path of ["authenticate", "authorize", "go-auth/user", "go-auth/superuser", "go-auth/acl"])
    expect(await ask(path, {}, headers as Record<string, string>)).toMatchObject({
      status: 401,
      body: { code: "UNAUTHENTICATED" },
    });
});

describe("a hub of one site", () => {
  let own: TestHub;
  const asked = async (path: string, body: object) => (await askAt(own.url, path, body)).body;
  const holds = async (username: string, filter: string) =>
    (await asked("authorize", { username, clientid: "x", topic: filter, action: "subscribe" }))["result"] === "allow";

  beforeAll(async () => {
    const MQTT_URL = "mqtt://127.0.0.1:1"; // nobody is there
    const settings = { ...HUB, MQTT_URL, MQTT_AUTH_SECRET: SECRET, MQTT_BASE_TOPIC: "second" };
    own = await startTestHub(settings, { callsPerMinute: 20 });
  });
  afterAll(() => own.close());

  test("may itself do all under its base and under the discovery prefix", async () => {
    const { MQTT_USERNAME: username, MQTT_PASSWORD: password } = HUB;
    expect(await asked("authenticate", { username, password })).toEqual({ result: "allow", is_superuser: true });
    expect(await asked("authenticate", { username, password: "wrong" })).toEqual({
      result: "deny",
      is_superuser: false,
    });
    expect(await asked("go-auth/superuser", { username })).toEqual({ ok: true, error: "" });
    const held = ["second/#", "homeassistant/#", "powerbeacon/#", "#"].map((filter) => holds(username, filter));
    expect(await Promise.all(held)).toEqual([true, true, false, false]);
  });

  test("answers a broker as often as it asks", async () => {
    const answers = Array.from({ length: 100 }, () => askAt(own.url, "authenticate", { username: "somebody" }));
    expect(new Set((await Promise.all(answers)).map(({ status }) => status))).toEqual(new Set([200]));
  });

  test("lets those hold a wildcard who may read all that it will match", async () => {
    const { body: cluster } = await own.api.post("/clusters", { name: "Home" });
    const client = async (name: string, fields: object) =>
      (await own.api.post("/mqtt-clients", { name, permissions: ["read", "discovery"], ...fields })).body.username;
    const [all, limited] = [await client("All", {}), await client("Limited", { clusterIds: [cluster.id] })];
    const { body: enrolment } = await own.api.post("/enrolments", { clusterId: cluster.id });
    const { body: answer } = await own.api.post("/agents/enrol", enrolBody(enrolment.code, "Pi"));
    const { username: agent } = EnrolGrant.parse(decodeJwt(answer.grant));
    const table = [
      ["second/device/+/state", [all]],
      ["second/agent/+/status", [all]],
      ["second/event", [all]],
      ["homeassistant/#", [all]],
      ["homeassistant/device/+/config", [all]],
      ["second/cluster/+/wake", [agent]],
      ["second/cluster/home/state", [all, limited]],
      ["second/device/+/set", []],
      ["second/device/#", []],
      ["second/#", []],
      ["#", []],
      ["+/status", []],
      ["$share/group/second/device/+/state", []],
    ] as const;
    for (const [filter, holders] of table) {
      const found: unknown[] = [];
      for (const username of [all, limited, agent]) if (await holds(username, filter)) found.push(username);
      expect([filter, found]).toEqual([filter, holders]);
    }
  });
});
