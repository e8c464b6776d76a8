import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { DiscoveryRef } from "#contracts/discovery.ts";
import { Directory, type DirectoryAgent, type DirectoryCluster, type DirectoryDevice } from "../members/directory.ts";
import { Schedules } from "../schedules/schedules.ts";
import { DiscoveredThings } from "./discovered-things.ts";
import { CLUSTER_DEFAULTS, DEVICE_DEFAULTS } from "#test/fixtures/directory-rows.ts";

const siteId = randomUUID();
const hub = { type: "hub", id: siteId, siteId, name: "PowerBeacon", version: "1.0.0" } as const;
const at = new Date();
const row = (key: string) => ({ siteId, key, name: key, showInHomeAssistant: true, createdAt: at, updatedAt: at });

const aCluster = (key: string, fields: Partial<DirectoryCluster> = {}): DirectoryCluster => ({
  id: randomUUID(),
  ...row(key),
  description: null,
  tags: [],
  unassigned: false,
  ...CLUSTER_DEFAULTS,
  ownerId: null,
  shares: [],
  ...fields,
});

const aDevice = (key: string, clusterId: string, fields: Partial<DirectoryDevice> = {}): DirectoryDevice => ({
  id: randomUUID(),
  ...row(key),
  clusterId,
  mac: "02:00:00:00:00:01",
  address: null,
  os: "linux",
  enabled: true,
  description: null,
  tags: [],
  ownerId: null,
  shares: [],
  secureOn: null,
  wake: { addresses: [], ports: [9], windowSeconds: null },
  watch: { icmp: true, arp: true, tcpPorts: [], intervalSeconds: 15 },
  ...DEVICE_DEFAULTS,
  agentIds: [],
  ...fields,
});

const anAgent = (key: string, clusterId: string, mac: string | null): DirectoryAgent => ({
  id: randomUUID(),
  ...row(key),
  clusterId,
  hostname: key,
  os: "linux",
  arch: "x64",
  version: "1.0.0",
  interfaces: [
    { name: "eth0", mac, addresses: [], broadcast: [], kind: null, link: null, armed: null, secureOn: null },
  ],
  capabilities: [],
  machine: null,
});

let directory: Directory;
let things: DiscoveredThings;
let schedules: Schedules;
let told: string[];
const home = aCluster("home");
const lab = aCluster("lab");
const nowhere = aCluster("unassigned", { unassigned: true });
const nas = aDevice("nas", home.id, { mac: "02:00:00:00:00:0a" });
const box = aDevice("box", home.id, { mac: "02:00:00:00:00:0b" });
const onNas = anAgent("on-nas", home.id, "02:00:00:00:00:0A");
const alone = anAgent("alone", home.id, null);
const keys = new Map([home, lab, nowhere, nas, box, onNas, alone].map(({ id, key }) => [id, key]));

beforeEach(() => {
  directory = new Directory();
  schedules = new Schedules();
  things = new DiscoveredThings({ directory, schedules, hub, waysDownOf: () => [] }, async () => {});
  for (const cluster of [home, lab, nowhere]) directory.putCluster(cluster);
  for (const device of [nas, box]) directory.putDevice(device);
  for (const agent of [onNas, alone]) directory.putAgent(agent);
  told = [];
  things.onChange(({ id }) => told.push(keys.get(id) ?? id));
});

const all = () => [...things.all()].map(({ type, id }) => [type, keys.get(id) ?? id]);

test("are the hub, then devices, clusters and agents, without the row that stands for no cluster", () => {
  expect(all()).toEqual([
    ["hub", siteId],
    ["device", "nas"],
    ["device", "box"],
    ["cluster", "home"],
    ["cluster", "lab"],
    ["agent", "on-nas"],
    ["agent", "alone"],
  ]);
});

test("are of one site where only that is asked for, the hub being of the first", () => {
  const till = { ...aCluster("till"), siteId: randomUUID() };
  directory.putCluster(till);
  expect([...things.all(till.siteId)]).toEqual([{ type: "cluster", id: till.id }]);
  expect([...things.all(siteId)].map(({ id }) => id)).not.toContain(till.id);
  expect([...things.all(siteId)][0]).toEqual(hub);
  expect(all()).toHaveLength(8);
});

test("are not those that a person does not want to be shown", () => {
  directory.putDevice({ ...nas, showInHomeAssistant: false });
  directory.putCluster({ ...lab, showInHomeAssistant: false });
  directory.putAgent({ ...alone, showInHomeAssistant: false });
  expect(all().map(([, key]) => key)).toEqual([siteId, "box", "home", "on-nas"]);
  expect(things.of({ type: "device", id: nas.id })).toBeUndefined();
  expect(things.of({ type: "cluster", id: home.id })).toMatchObject({ deviceIds: [box.id] });
  expect(things.of({ type: "agent", id: onNas.id })).toMatchObject({ machineId: null });
});

test("tell the members of a cluster in an order that no change of a member changes", () => {
  const before = things.of({ type: "cluster", id: home.id });
  for (const device of [nas, box]) {
    directory.putDevice({ ...device, name: "Renamed" });
    expect(things.of({ type: "cluster", id: home.id })).toEqual(before);
  }
});

describe("a change", () => {
  const changes: [string, () => void, string[]][] = [
    ["of a device", () => directory.putDevice({ ...box, name: "Renamed" }), ["box"]],
    ["of a device's cluster", () => directory.putDevice({ ...box, clusterId: lab.id }), ["box", "home", "lab"]],
    ["of a machine's name", () => directory.putDevice({ ...nas, name: "Renamed" }), ["nas"]],
    ["of a machine's MAC address", () => directory.putDevice({ ...nas, mac: "02:00:00:00:00:0c" }), ["nas", "on-nas"]],
    [
      "of whether a machine is shown",
      () => directory.putDevice({ ...nas, showInHomeAssistant: false }),
      ["nas", "home", "on-nas"],
    ],
    ["that removes a machine", () => directory.removeDevice(nas.id), ["nas", "home", "on-nas"]],
    ["of a cluster's name", () => directory.putCluster({ ...home, name: "Renamed" }), ["home", "nas", "box"]],
    ["of a cluster's tags", () => directory.putCluster({ ...home, tags: ["a"] }), ["home"]],
    ["of an agent", () => directory.putAgent({ ...alone, name: "Renamed" }), ["alone"]],
  ];

  test.each(changes)("%s tells of all whose configs speak of it", (_what, change, expected) => {
    change();
    expect(told.toSorted()).toEqual(expected.toSorted());
  });
});

describe("the cluster that a config is about", () => {
  const refs: [DiscoveryRef, string | undefined][] = [
    [hub, undefined],
    [{ type: "device", id: nas.id }, "home"],
    [{ type: "cluster", id: lab.id }, "lab"],
    [{ type: "agent", id: alone.id }, "home"],
    [{ type: "device", id: randomUUID() }, undefined],
  ];

  test.each(refs)("of %o is %s", (ref, key) => {
    expect(things.clusterOf(ref)?.key).toBe(key);
  });

  test("is still known when somebody reads of the removal a week later", () => {
    vi.useFakeTimers();
    directory.removeDevice(nas.id);
    directory.removeAgent(alone.id);
    vi.advanceTimersByTime(7 * 24 * 3_600_000);
    vi.useRealTimers();
    expect(things.clusterOf({ type: "device", id: nas.id })?.key).toBe("home");
    expect(things.clusterOf({ type: "agent", id: alone.id })?.key).toBe("home");
  });
});

test("what is hidden on a broker that tells of no site is hidden in its own", async () => {
  const hidden: unknown[] = [];
  things = new DiscoveredThings(
    { directory, schedules, hub, waysDownOf: () => [] },
    async (ref, { siteId }) => void hidden.push([ref.id, siteId]),
  );
  const somebody = { by: "mqtt", siteId: null, tokenId: null };
  await things.hide({ type: "device", id: nas.id }, somebody);
  await things.hide({ type: "device", id: randomUUID() }, somebody);
  expect(hidden).toEqual([[nas.id, siteId]]);
});
