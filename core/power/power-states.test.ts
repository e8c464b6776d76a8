import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Sighting } from "#contracts/agent.ts";
import { Key } from "#contracts/key.ts";
import { Presence } from "../agents/presence.ts";
import { Directory, type DirectoryAgent, type DirectoryDevice } from "../members/directory.ts";
import { type PowerChange, PowerStates } from "./power-states.ts";
import { CLUSTER_DEFAULTS, DEVICE_DEFAULTS } from "#test/fixtures/directory-rows.ts";

const now = new Date();
const site = randomUUID();
const GRACE_MS = 30;
const HOUR_MS = 3_600_000;
const HEARTBEAT = {
  version: "1",
  load1: null,
  memoryUsedPercent: null,
  diskUsedPercent: null,
  temperatureC: null,
  clockOffsetMs: null,
};

let directory: Directory;
let presence: Presence;
let power: PowerStates;
let home: string;
let lab: string;
let changes: string[];
let seen: string[];
let marked: string[];

beforeEach(() => {
  directory = new Directory();
  presence = new Presence();
  [home, lab] = [addCluster("home"), addCluster("lab")];
  power = new PowerStates(directory, presence, { graceMs: GRACE_MS });
  [changes, seen, marked] = [[], [], []];
  power.onChange(({ device, before, after }: PowerChange) =>
    changes.push(`${device.key} ${before.power} ${after.power}`),
  );
  power.onSeen((device) => seen.push(device.key));
  power.onWatchersChanged((ids) => marked.push(...[...ids].map((id) => directory.agents.byId(id)?.key ?? "gone")));
});

afterEach(() => power.close());

function addCluster(key: string): string {
  const id = randomUUID();
  const texts = {
    key,
    name: key,
    description: null,
    tags: [],
    unassigned: false,
    showInHomeAssistant: true,
    ownerId: null,
    shares: [],
    ...CLUSTER_DEFAULTS,
  };
  directory.putCluster({ id, siteId: site, ...texts, createdAt: now, updatedAt: now });
  return id;
}

function addAgent(key: string, { clusterId = home, online = true } = {}): DirectoryAgent {
  const about = {
    hostname: key,
    os: "linux" as const,
    arch: "x64",
    version: "1",
    interfaces: [],
    capabilities: [],
    machine: null,
  };
  const shown = { key, name: key, showInHomeAssistant: true };
  const agent = { id: randomUUID(), siteId: site, clusterId, ...shown, ...about, createdAt: now, updatedAt: now };
  directory.putAgent(agent);
  if (online) presence.setStatus(agent.id, "online", now);
  return agent;
}

let macs = 0;

function addDevice(key: string, fields: Partial<DirectoryDevice> = {}): DirectoryDevice {
  const device: DirectoryDevice = {
    id: randomUUID(),
    siteId: site,
    clusterId: home,
    key,
    name: key,
    mac: `02:00:00:00:00:${(++macs % 256).toString(16).padStart(2, "0")}`,
    address: null,
    os: "other",
    enabled: true,
    showInHomeAssistant: true,
    description: null,
    tags: [],
    ownerId: null,
    shares: [],
    secureOn: null,
    wake: { addresses: [], ports: [9], windowSeconds: null },
    watch: { icmp: true, arp: true, tcpPorts: [], intervalSeconds: 15 },
    ...DEVICE_DEFAULTS,
    agentIds: [],
    createdAt: now,
    updatedAt: now,
    ...fields,
  };
  directory.putDevice(device);
  return device;
}

function sees(agent: DirectoryAgent, devices: Record<string, boolean>, full = false): void {
  const at = new Date().toISOString();
  const sightings = Object.entries(devices).map(([device, up]) => {
    return {
      device: Key.parse(device),
      up,
      how: up ? ("arp" as const) : null,
      at,
      address: null,
      mac: null,
      takenBy: null,
    };
  });
  power.sighted(agent, sightings, full, new Date());
}

describe("the power state of a device", () => {
  test("is unknown until an agent says what it sees", () => {
    const [pi, nas] = [addAgent("pi"), addDevice("nas")];
    expect(power.of(nas.id)).toEqual({
      power: "unknown",
      since: null,
      because: "hub-start",
      reachable: null,
      evidence: null,
    });
    sees(pi, { nas: false });
    expect(power.of(nas.id)).toMatchObject({ power: "off", reachable: false });
    sees(pi, { nas: true });
    expect(power.of(nas.id)).toMatchObject({ power: "on", reachable: true, evidence: { by: "pi", how: "arp" } });
    expect(changes).toEqual(["nas unknown off", "nas off on"]);
    expect(seen).toEqual(["nas"]);
  });

  test("keeps the evidence of the last sighting, and the same sighting is no change", () => {
    const [pi, nas] = [addAgent("pi"), addDevice("nas")];
    sees(pi, { nas: true });
    const { evidence } = power.of(nas.id);
    sees(pi, { nas: false });
    changes.length = 0;
    sees(pi, { nas: false });
    presence.setStatus(addAgent("other").id, "offline", now);
    expect(power.of(nas.id)).toMatchObject({ power: "off", evidence });
    expect(changes).toEqual([]);
  });

  test("is on while one agent sees it, and off only when all who look agree", () => {
    const [one, two, nas] = [addAgent("one"), addAgent("two"), addDevice("nas")];
    sees(one, { nas: true });
    sees(two, { nas: false });
    expect(power.of(nas.id).power).toBe("on");
    sees(one, { nas: false });
    expect(power.of(nas.id).power).toBe("off");
  });

  test("does not follow from an agent of another cluster, or one that is not linked to it", () => {
    const [pi, linked, stranger] = [addAgent("pi"), addAgent("linked"), addAgent("stranger", { clusterId: lab })];
    const nas = addDevice("nas", { agentIds: [linked.id] });
    for (const agent of [pi, stranger]) sees(agent, { nas: true, nobody: true });
    expect(power.of(nas.id).power).toBe("unknown");
    sees(linked, { nas: true });
    expect(power.of(nas.id).power).toBe("on");
  });

  test("is what a full batch says, and what it leaves out stands until somebody says more", () => {
    const pi = addAgent("pi");
    const [nas, box] = [addDevice("nas"), addDevice("box")];
    sees(pi, { nas: true, box: false });
    sees(pi, { box: true }, true);
    expect(power.of(nas.id)).toMatchObject({ power: "on", reachable: null });
    expect(power.of(box.id).power).toBe("on");
  });

  test("outlives a short absence of the only agent, and is unreachable after a longer one", async () => {
    const [pi, nas] = [addAgent("pi"), addDevice("nas")];
    addDevice("box");
    sees(pi, { nas: true, box: false });
    changes.length = 0;
    presence.setStatus(pi.id, "offline", now);
    expect(power.of(nas.id).power).toBe("on");
    presence.setStatus(pi.id, "online", now);
    presence.setStatus(pi.id, "offline", now);
    expect(changes).toEqual([]);
    await expect.poll(() => changes).toEqual(["nas on unreachable", "box off unreachable"]);
    expect(power.of(nas.id)).toMatchObject({ reachable: null, evidence: { by: "pi" } });

    presence.setStatus(pi.id, "online", now);
    expect(power.of(nas.id).power).toBe("unreachable");
    sees(pi, { nas: false, box: false }, true);
    expect(power.of(nas.id).power).toBe("off");
  });

  test("is never what a device that was not seen might be when its agent goes", async () => {
    const [pi, nas] = [addAgent("pi"), addDevice("nas")];
    presence.setStatus(pi.id, "offline", now);
    const witness = addDevice("witness", { clusterId: lab });
    const other = addAgent("other", { clusterId: lab });
    sees(other, { witness: true });
    presence.setStatus(other.id, "offline", now);
    await expect.poll(() => power.of(witness.id).power).toBe("unreachable");
    expect(power.of(nas.id).power).toBe("unknown");
  });

  test("is waking while a wake goes on, whatever agents do not see, and on once it is seen", () => {
    const [pi, nas] = [addAgent("pi"), addDevice("nas")];
    sees(pi, { nas: false });
    power.setWaking(nas, true, now);
    sees(pi, { nas: false });
    expect(power.of(nas.id).power).toBe("waking");
    sees(pi, { nas: true });
    power.setWaking(nas, false, now);
    expect(power.of(nas.id).power).toBe("on");
    expect(changes).toEqual(["nas unknown off", "nas off waking", "nas waking on"]);
  });

  test("returns to off when a wake is over without a sighting", () => {
    const [pi, nas] = [addAgent("pi"), addDevice("nas")];
    sees(pi, { nas: false });
    power.setWaking(nas, true, now);
    power.setWaking(nas, false, now);
    expect(power.of(nas.id).power).toBe("off");
  });

  test("is not what was seen of another network card, or at another address", () => {
    const [pi, nas] = [addAgent("pi"), addDevice("nas")];
    sees(pi, { nas: true });
    directory.putDevice({ ...nas, name: "renamed" });
    expect(power.of(nas.id).reachable).toBe(true);
    directory.putDevice({ ...nas, mac: "02:00:00:00:ff:ff" });
    expect(power.of(nas.id).reachable).toBeNull();
  });

  test("is forgotten with its device", () => {
    const [pi, nas] = [addAgent("pi"), addDevice("nas")];
    sees(pi, { nas: true });
    directory.removeDevice(nas.id);
    expect(power.of(nas.id).power).toBe("unknown");
    expect(() => sees(pi, { nas: true })).not.toThrow();
    power.setWaking(nas, true, now);
    expect(power.of(nas.id).power).toBe("unknown");
  });
});

describe("a device with an agent of its own", () => {
  const MAC = "02:00:00:00:aa:01";
  const card = {
    name: "eth0",
    mac: MAC,
    addresses: [],
    broadcast: [],
    kind: null,
    link: null,
    armed: null,
    secureOn: null,
  };
  let own: DirectoryAgent;
  let nas: DirectoryDevice;
  let beats = 0;

  beforeEach(() => {
    const joined = addAgent("nas-agent");
    directory.putAgent((own = { ...joined, interfaces: [card] }));
    nas = addDevice("nas", { mac: MAC });
  });

  const beat = (agent: DirectoryAgent) =>
    presence.setHeartbeat(
      agent.id,
      { ...HEARTBEAT, startedAt: now.toISOString(), at: now.toISOString(), sequence: ++beats },
      now,
    );

  test("is on while that agent is online, whatever others do not see, and who it is is told", () => {
    expect(power.of(nas.id)).toMatchObject({ power: "on", because: "own-agent", reachable: true });
    expect(power.of(nas.id).evidence).toMatchObject({ by: "nas-agent", how: "agent" });
    sees(addAgent("pi"), { nas: false });
    expect(power.of(nas.id).power).toBe("on");
  });

  test("is not watched by that agent, also when it becomes its own only later", () => {
    const watched = (agent: DirectoryAgent) => power.watchedBy(agent.id).map(({ key }) => key);
    const pi = addAgent("pi");
    expect([watched(own), watched(pi)]).toEqual([[], ["nas"]]);
    directory.putDevice({ ...nas, power: { ...nas.power, ownAgentId: pi.id } });
    expect([watched(own), watched(pi)]).toEqual([["nas"], []]);
    const box = addDevice("box", { mac: "02:00:00:00:aa:02" });
    directory.putAgent({ ...own, interfaces: [card, { ...card, mac: box.mac }] });
    expect(watched(own)).toEqual(["nas"]);
    directory.removeDevice(nas.id);
    expect(power.of(box.id).evidence?.by).toBe("nas-agent");
  });

  test("wakes when that agent comes online, and again when it is heard", async () => {
    presence.setStatus(own.id, "offline", now);
    await expect.poll(() => power.of(nas.id).power).toBe("unreachable");
    power.setWaking(nas, true, now);
    expect(seen).toEqual([]);
    presence.setStatus(own.id, "online", now);
    expect([power.of(nas.id).power, seen]).toEqual(["on", ["nas"]]);
  });

  test("outlives a restart of that agent, though a firewall hides it from all others", () => {
    const pi = addAgent("pi");
    sees(pi, { nas: false });
    presence.setStatus(own.id, "offline", now);
    expect(power.of(nas.id).power).toBe("on");
    presence.setStatus(own.id, "online", now);
    expect(changes.filter((change) => !change.endsWith("on on"))).toEqual(["nas unknown on"]);
  });

  test("is what others see once that agent is gone for good", async () => {
    sees(addAgent("pi"), { nas: false });
    presence.setStatus(own.id, "offline", now);
    await expect.poll(() => power.of(nas.id)).toMatchObject({ power: "off", because: "missed" });
  });

  test("is off when that agent leaves after it said that it goes down, and on when it is back", () => {
    power.setStopping(nas, true, now);
    power.goesDown(nas, now);
    expect(power.of(nas.id).power).toBe("stopping");
    presence.setStatus(own.id, "offline", now);
    expect(power.of(nas.id)).toMatchObject({ power: "off", because: "power-off" });
    presence.setStatus(own.id, "online", now);
    expect(power.of(nas.id)).toMatchObject({ power: "on", because: "own-agent" });
    expect(changes).toEqual(["nas unknown on", "nas on stopping", "nas stopping off", "nas off on"]);
  });

  test("stays off when it went down on order and nobody can look any more", async () => {
    power.setStopping(nas, true, now);
    power.goesDown(nas, now);
    presence.setStatus(own.id, "offline", now);
    await new Promise((resolve) => setTimeout(resolve, 2 * GRACE_MS));
    expect(power.of(nas.id).power).toBe("off");
    power.setWaking(nas, true, now);
    power.setWaking(nas, false, now);
    expect(power.of(nas.id).power).toBe("off");
  });

  test("that is woken while it goes down is awake only after it went", () => {
    const pi = addAgent("pi");
    sees(pi, { nas: true });
    power.setStopping(nas, true, now);
    power.goesDown(nas, now);
    power.setWaking(nas, true, now);
    power.setStopping(nas, false, now);
    [seen.length, changes.length] = [0, 0];
    sees(pi, { nas: true });
    presence.setStatus(own.id, "offline", now);
    sees(pi, { nas: true });
    expect([power.of(nas.id).power, seen]).toEqual(["waking", []]);
    sees(pi, { nas: false });
    sees(pi, { nas: true });
    expect([power.of(nas.id).power, seen]).toEqual(["on", ["nas"]]);
  });

  test("stays on when what it said of going down is taken back", async () => {
    power.setStopping(nas, true, now);
    power.goesDown(nas, now);
    power.setStopping(nas, false, now);
    power.staysUp(nas, now);
    presence.setStatus(own.id, "offline", now);
    expect(power.of(nas.id).power).toBe("on");
    await expect.poll(() => power.of(nas.id).power).toBe("unreachable");
  });

  test("counts as off while only its broker holds it online, until it is heard", () => {
    let nowMs = 0;
    const later = new PowerStates(directory, presence, { monotonicMs: () => nowMs });
    const pi = addAgent("pi");
    const missed = { device: Key.parse("nas"), up: false, how: null, at: now.toISOString() };
    const says = () =>
      later.sighted(
        pi,
        [{ ...missed, address: null, mac: null, takenBy: null }],
        true,
        new Date(now.getTime() + HOUR_MS),
      );
    beat(own);
    says();
    expect(later.of(nas.id).power).toBe("on");
    nowMs += 46_000;
    says();
    expect(later.of(nas.id).power).toBe("off");
    beat(own);
    expect(later.of(nas.id).power).toBe("on");
    later.close();
  });
});

describe("an address that another machine has", () => {
  const sighting = (changes: Partial<Sighting>): Sighting => ({
    device: Key.parse("nas"),
    up: true,
    how: "icmp",
    at: now.toISOString(),
    address: "10.0.0.9",
    mac: null,
    takenBy: null,
    ...changes,
  });

  test("is not the device, and whose it is can be asked", () => {
    const [pi, nas] = [addAgent("pi"), addDevice("nas")];
    power.sighted(pi, [sighting({ mac: "02:00:00:00:ee:ee" })], false, now);
    expect(power.of(nas.id).power).toBe("off");
    expect(power.takenBy(nas.id)).toEqual({ mac: "02:00:00:00:ee:ee", by: "pi", at: now });
    power.sighted(pi, [sighting({ up: false, how: null, takenBy: "02:00:00:00:ee:ff" })], false, now);
    expect(power.takenBy(nas.id)?.mac).toBe("02:00:00:00:ee:ff");
    power.sighted(pi, [sighting({ mac: nas.mac })], false, now);
    expect([power.of(nas.id).power, power.takenBy(nas.id)]).toEqual(["on", null]);
  });

  test("is a word of the agent that said so", () => {
    const [pi, nas] = [addAgent("pi"), addDevice("nas")];
    power.sighted(pi, [sighting({ up: false, how: null, takenBy: "02:00:00:00:ee:ee" })], false, now);
    power.sighted(pi, [], true, now);
    expect(power.takenBy(nas.id)).toBeNull();
  });
});

describe("a plug whose figure wavers about that of standby", () => {
  test("makes a device go off and come back once, and not with each figure", () => {
    let nowMs = 0;
    power.close();
    power = new PowerStates(directory, presence, { graceMs: GRACE_MS, monotonicMs: () => nowMs });
    const box = addDevice("box");
    const states: string[] = [];
    power.onChange(({ before, after }) => before.power !== after.power && states.push(after.power));
    const says = (on: boolean) => power.plugSays(box, on, new Date((nowMs += 3_000)));
    for (let count = 0; count < 10; count++) for (const on of [true, false]) says(on);
    expect(states).toEqual(["on", "off", "on"]);
    nowMs += 60_000;
    says(false);
    expect(states).toEqual(["on", "off", "on", "off"]);
  });
});

describe("the counts of power states", () => {
  test("follow every change", async () => {
    const pi = addAgent("pi");
    const [nas, box] = [addDevice("nas"), addDevice("box")];
    addDevice("new");
    sees(pi, { nas: true, box: false });
    power.setWaking(box, true, now);
    const none = { total: 0, on: 0, off: 0, waking: 0, stopping: 0, unreachable: 0, unknown: 0 };
    expect(power.counts()).toEqual({ ...none, total: 3, on: 1, waking: 1, unknown: 1 });
    directory.removeDevice(nas.id);
    expect(power.counts()).toEqual({ ...none, total: 2, waking: 1, unknown: 1 });
    directory.putDevice({ ...box, clusterId: lab });
    expect(power.counts().total).toBe(2);
  });
});

describe("who watches", () => {
  const watched = (agent: DirectoryAgent) => power.watchedBy(agent.id).map(({ key }) => key);

  test("is told when devices come, change, move and go", () => {
    const [pi, other] = [addAgent("pi"), addAgent("other", { clusterId: lab })];
    marked.length = 0;
    const nas = addDevice("nas");
    expect(marked.splice(0)).toEqual(["pi"]);
    directory.putDevice({ ...nas, address: "10.0.0.1" });
    expect(marked.splice(0)).toEqual(["pi"]);
    directory.putDevice({ ...nas, clusterId: lab });
    expect(new Set(marked.splice(0))).toEqual(new Set(["pi", "other"]));
    expect([watched(pi), watched(other)]).toEqual([[], ["nas"]]);
    directory.removeDevice(nas.id);
    expect(marked).toEqual(["other"]);
  });

  test("is somebody for a disabled device too: it takes no part in wakes, but its state is worth knowing", () => {
    const pi = addAgent("pi");
    addDevice("nas", { enabled: false });
    expect(watched(pi)).toEqual(["nas"]);
  });

  test("are three of many, another one after one of them left for good, and the first again when it is back", async () => {
    const agents = Array.from({ length: 5 }, (_, i) => addAgent(`agent-${i}`));
    addDevice("nas");
    const watchers = () => agents.filter((agent) => watched(agent).length > 0);
    const before = watchers();
    expect(before).toHaveLength(3);
    const [first] = before;
    if (!first) throw new Error("nobody watches");
    presence.setStatus(first.id, "offline", now);
    expect(watchers()).toEqual(before);
    await expect.poll(() => watchers().includes(first)).toBe(false);
    expect(watchers()).toHaveLength(3);
    presence.setStatus(first.id, "online", now);
    expect(watchers()).toEqual(before);
  });

  test("change when an agent moves to another cluster, and what it saw before counts no more", () => {
    const [pi, nas] = [addAgent("pi"), addDevice("nas")];
    sees(pi, { nas: true });
    directory.putAgent({ ...pi, clusterId: lab });
    expect(watched(pi)).toEqual([]);
    expect(power.of(nas.id).power).toBe("unreachable");
    directory.removeAgent(pi.id);
    expect(presence.of(pi.id)).toBeUndefined();
  });
});

test("several agents that see a device again are told of once a minute", () => {
  const [one, other] = [addAgent("one"), addAgent("other")];
  const device = addDevice("seen-by-two");
  const changes: (string | null)[] = [];
  power.onChange((change) => {
    if (change.device.id === device.id) changes.push(change.after.evidence?.at ?? null);
  });
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1_000);
  const sighting = {
    device: Key.parse(device.key),
    up: true,
    how: "arp",
    address: null,
    mac: null,
    takenBy: null,
  } as const;
  for (const [agent, seconds] of [
    [one, 0],
    [other, 30],
    [one, 60],
    [other, 90],
    [one, 120],
  ] as const)
    power.sighted(agent, [{ ...sighting, at: at(seconds).toISOString() }], false, at(seconds));
  expect(changes).toEqual([0, 60, 120].map((seconds) => at(seconds).toISOString()));
});
