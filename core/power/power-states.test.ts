import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Key } from "#contracts/key.ts";
import { Presence } from "../agents/presence.ts";
import { Directory, type DirectoryAgent, type DirectoryDevice } from "../members/directory.ts";
import { type PowerChange, PowerStates } from "./power-states.ts";
import { CLUSTER_DEFAULTS, DEVICE_DEFAULTS } from "#test/fixtures/directory-rows.ts";

const now = new Date();
const site = randomUUID();
const GRACE_MS = 30;

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
