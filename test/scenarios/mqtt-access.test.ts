import { MqttClient } from "mqtt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Role, TokenPermission, reachOf } from "#contracts/permissions.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import {
  BEHIND_PROXY,
  type Person,
  type TestSite,
  addPerson,
  addSite,
  addToken,
  firstSite,
} from "#test/fixtures/people.ts";
import { type ScriptedAgent, freshMac, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";
import { type Cell, type Kind, KINDS, type Place, cellsOf, expected, rowNames } from "./mqtt-access-table.ts";

/** Every topic × every kind of client × where the thing lies: publish, publish retained, subscribe and hear, on a whole hub. */

interface Seat {
  readonly name: string;
  readonly kind: Kind;
  readonly site: "home" | "away";
}

const SEATS: readonly Seat[] = [
  ...KINDS.map((kind): Seat => ({ name: kind, kind, site: "home" })),
  ...(["agent", "read", "wake", "discovery", "admin", "viewer"] as const).map((kind): Seat => ({
    name: `${kind} of the other site`,
    kind,
    site: "away",
  })),
];

let hub: TestHub;
let mouth: MqttClient;
let ear: TestMqttClient;
let cells: Cell[];
let sites: { home: TestSite; away: TestSite };
const clients = new Map<string, TestMqttClient>();
const agents: ScriptedAgent[] = [];

beforeAll(async () => {
  hub = await startTestHub({ ...BEHIND_PROXY, HA_DISCOVERY: "off" });
  sites = { home: await firstSite(hub), away: await addSite(hub, "Away") };
  const keys = await furnish();
  cells = cellsOf((parameter, place) => keys.get(`${parameter} ${place}`) ?? "probe");
  mouth = new MqttClient(() => hub.broker.connectHub(), { protocolVersion: 5, reconnectPeriod: 0 });
  await new Promise((resolve) => mouth.once("connect", resolve));
  const ears = new MqttClient(() => hub.broker.connectHub(), { protocolVersion: 5, reconnectPeriod: 0 });
  ear = collect(ears);
  await ears.subscribeAsync("#", { qos: 1 });
  for (const client of clients.values()) await client.client.subscribeAsync("#", { qos: 1 });
}, 120_000);

afterAll(async () => {
  mouth.end(true);
  for (const client of [ear, ...clients.values()]) await client.close();
  for (const agent of agents) await agent.close();
  await hub.close();
});

/** Two clusters at home and one away, with devices and agents, and all the clients. @returns the keys, by kind and place. */
async function furnish(): Promise<Map<string, string>> {
  const { home, away } = sites;
  const add = async (site: TestSite, path: string, fields: object) => (await site.api.post(path, fields)).body;
  const clusters = {
    own: await add(home, "/clusters", { name: "Home" }),
    foreign: await add(home, "/clusters", { name: "Office" }),
    away: await add(away, "/clusters", { name: "Till" }),
  };
  const user = await addPerson(hub, home, "user");
  const keys = new Map<string, string>();
  for (const place of ["own", "beside", "foreign", "away"] as const) {
    const [site, cluster] = [place === "away" ? away : home, clusters[place === "beside" ? "own" : place]];
    const rights = place === "own" ? { ownerId: user.id } : {};
    const device = await add(site, "/devices", {
      name: `Box ${place}`,
      mac: freshMac(),
      clusterId: cluster.id,
      ...rights,
    });
    const agent = await startScriptedAgent(
      { api: site.api, mqttUrl: hub.mqttUrl },
      { name: `Pi ${place}`, clusterId: cluster.id },
    );
    agents.push(agent);
    if (place === "own") clients.set("agent", agent.mqtt);
    if (place === "away") clients.set("agent of the other site", agent.mqtt);
    keys.set(`cluster ${place}`, cluster.key).set(`device ${place}`, device.key).set(`agent ${place}`, agent.key);
    keys.set(`object_id ${place}`, `powerbeacon_device_${device.id}`);
    keys.set(`component ${place}`, `switch/powerbeacon_device_${device.id}/power`);
  }
  const limits = [clusters.own.id];
  for (const seat of SEATS) if (seat.kind !== "agent") clients.set(seat.name, await connect(seat, user, limits));
  return keys;
}

/** The people among the clients: what they are, and what their tokens are for where that is less than they may. */
const PEOPLE = new Map<Kind, { role: Exclude<Role, "superuser">; permissions?: TokenPermission[] }>([
  ["admin", { role: "admin" }],
  ["user", { role: "user" }],
  ["viewer", { role: "viewer" }],
  ["idle", { role: "admin", permissions: ["device:read", "cluster:read", "agent:read"] }],
  ["narrow", { role: "admin", permissions: ["cluster:read"] }],
]);

async function connect({ kind, site }: Seat, user: Person, clusterIds: string[]): Promise<TestMqttClient> {
  const place = sites[site];
  const shown = (username: string, password: string) =>
    connectMqtt(hub.mqttUrl, { username, password, protocolVersion: 5 });
  const somebody = PEOPLE.get(kind);
  if (somebody) {
    const { role, permissions } = somebody;
    const person = kind === "user" ? user : await addPerson(hub, place, role);
    const all = TokenPermission.options.filter((permission) => reachOf(role, permission) !== undefined);
    return await shown(`~${person.username}`, (await addToken(person.api, permissions ?? all)).token);
  }
  const limited = { permissions: ["read", "wake", "power", "discovery"], clusterIds };
  const fields = kind === "limited" ? limited : { permissions: [kind] };
  const { body } = await place.api.post("/mqtt-clients", { name: `${kind} ${site}`, ...fields });
  return await shown(body.username, body.password);
}

function collect(client: MqttClient): TestMqttClient {
  const received: { topic: string; text: string }[] = [];
  client.on("message", (topic, payload) => received.push({ topic, text: payload.toString() }));
  const on = () => received.map((message) => ({ ...message, retained: false, packet: {} as never }));
  return { client, on, last: () => undefined, lastJson: () => undefined, close: () => client.endAsync(true) };
}

/** The reason code of a SUBSCRIBE. */
async function codeOf({ client }: TestMqttClient, filter: string): Promise<number> {
  return await new Promise((resolve) =>
    client.subscribe(filter, { qos: 1 }, (_error, _granted, packet) => {
      const [granted = 0x80] = packet?.granted ?? [];
      resolve(Number(granted) <= 2 ? 0 : Number(granted));
    }),
  );
}

/** What the broker takes from a client. */
async function takenOf({ client }: TestMqttClient, messageFor: (cell: Cell) => { body: string; retain: boolean }) {
  const taken: Cell[] = [];
  for (const cell of cells) {
    const { body, retain } = messageFor(cell);
    try {
      await client.publishAsync(cell.topic, body, { qos: 1, retain });
      taken.push(cell);
    } catch (error) {
      if ((error as { code?: number }).code !== 0x87) throw error;
    }
  }
  return taken;
}

/** A place as a client sees it. */
function seen({ site }: Seat, place: Place): Place {
  if (site === "home" || place === "hub") return place;
  return place === "away" ? "own" : "away";
}

const clientOf = ({ name }: Seat) => clients.get(name) as TestMqttClient; // everybody has been seated
const bodyOf = (text: string, { isSigned }: Cell) => (isSigned ? `eyJ ${text}` : text);
const namesOf = (some: readonly Cell[]) => some.map(({ name }) => name);

test("the table has a row for every topic of the contracts, and for no other", () => {
  expect(rowNames.inTable.toSorted()).toEqual(rowNames.ofChannels.toSorted());
  expect(cells.length * SEATS.length).toBeGreaterThan(1_000);
});

test("everybody hears of each thing what the table says, and nothing else", async () => {
  for (const cell of cells) {
    const site = cell.place === "away" ? sites.away.id : sites.home.id;
    const properties = cell.isOfSite ? { properties: { userProperties: { "pb-site": site } } } : {};
    await mouth.publishAsync(cell.topic, bodyOf(`hear ${cell.name}`, cell), { qos: 1, ...properties });
  }
  for (const seat of SEATS) {
    await codeOf(clientOf(seat), "settled/#"); // answered after everything that was published before
    const heard = new Set(
      clientOf(seat)
        .on(/./)
        .map(({ text }) => text),
    );
    const right = cells.filter((cell) => expected(seat.kind, cell, seen(seat, cell.place), "r"));
    const wrong = cells.filter((cell) => heard.has(bodyOf(`hear ${cell.name}`, cell)));
    expect([seat.name, namesOf(wrong)]).toEqual([seat.name, namesOf(right)]);
  }
});

describe.each(SEATS)("$name", (seat) => {
  test("subscribes to the names that it could read", async () => {
    const granted: Cell[] = [];
    const names = cells.filter(({ place, isOfSite }) => !isOfSite || place === "own");
    for (const cell of names) if ((await codeOf(clientOf(seat), cell.topic)) === 0) granted.push(cell);
    // a topic may carry orders beside requests
    const right = names.filter((cell) =>
      cells.some(({ topic, ...other }) => {
        const place = cell.isOfSite ? "own" : seen(seat, cell.place);
        return topic === cell.topic && expected(seat.kind, { topic, ...other }, place, "r");
      }),
    );
    expect(namesOf(granted)).toEqual(namesOf(right));
  });

  test.each([
    ["p", false],
    ["t", true],
  ] as const)("publishes (%s) what the table says, and the hub hears nothing else", async (right, retain) => {
    const bodyFor = (cell: Cell) => bodyOf(`${right}|${seat.name}|${cell.name}`, cell);
    const taken = await takenOf(clientOf(seat), (cell) => ({ body: bodyFor(cell), retain }));
    const allowed = cells.filter((cell) => expected(seat.kind, cell, seen(seat, cell.place), right));
    expect(namesOf(taken)).toEqual(namesOf(allowed));
    const heard = () => ear.on(/./).flatMap(({ text }) => (text.includes(`${right}|${seat.name}|`) ? [text] : []));
    await expect.poll(() => heard().length).toBeGreaterThanOrEqual(allowed.length);
    // what is asked of a thing of the hub's may be repeated in the hub's answer
    expect(heard().filter((text) => !text.startsWith("{"))).toEqual(allowed.map(bodyFor));
  });

  test("clears retained messages where the table says", async () => {
    const taken = await takenOf(clientOf(seat), () => ({ body: "", retain: true }));
    const allowed = cells.filter((cell) =>
      (["t", "e"] as const).some((right) => expected(seat.kind, cell, seen(seat, cell.place), right)),
    );
    expect(namesOf(taken)).toEqual(namesOf(allowed));
  });
});

test("who shows nothing, or what is not theirs, is not let in", async () => {
  const { username = "" } = clientOf({ name: "admin", kind: "admin", site: "home" }).client.options;
  const shown = [{}, { username }, { username, password: "right" }, { username: "hub", password: "hub" }];
  for (const credentials of shown)
    await expect(connectMqtt(hub.mqttUrl, credentials)).rejects.toThrow(/user ?name|authorized/i);
});
