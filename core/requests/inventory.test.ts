import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, test } from "vitest";
import { MAX_PACKET_BYTES } from "#contracts/limits.ts";
import { Inventory, hubRequests } from "#contracts/request.ts";
import { CopiedCredentials } from "../agents/copied-credentials.ts";
import { Presence } from "../agents/presence.ts";
import { Now } from "../live/now.ts";
import { Directory } from "../members/directory.ts";
import { LastPowerOffs } from "../power-off/last-power-offs.ts";
import { PowerStates } from "../power/power-states.ts";
import { LastWakes } from "../wake/last-wakes.ts";
import { Leases } from "../leases/leases.ts";
import { inventory } from "./inventory.ts";
import { type Requester, rightsOf } from "./rights.ts";
import { CLUSTER_DEFAULTS, DEVICE_DEFAULTS } from "#test/fixtures/directory-rows.ts";

const siteId = randomUUID();
const at = new Date();
const directory = new Directory();
const presence = new Presence();
const copies = new CopiedCredentials();
const power = new PowerStates(directory, presence);
const recipes = { of: () => ({ typicalSeconds: null, slowSeconds: null, ways: [] }) };
const powerOffs = { ableOf: () => ({ actions: [], way: null, why: null, armed: null }), runningOf: () => undefined };
const [lastWakes, lastPowerOffs] = [new LastWakes(), new LastPowerOffs()];
const leases = new Leases(directory);
const methods = { energyOf: () => ({ watts: null, energyKwh: null }) };
const now = new Now({
  methods,
  leases,
  directory,
  presence,
  copies,
  power,
  lastWakes,
  recipes,
  powerOffs,
  lastPowerOffs,
});
const common = { showInHomeAssistant: true, createdAt: at, updatedAt: at };
const owned = { description: null, tags: [], ownerId: null, shares: [] };

afterAll(() => {
  power.close();
  copies.close();
});

function addCluster(key: string, unassigned = false): string {
  const id = randomUUID();
  directory.putCluster({ id, siteId, key, name: key, unassigned, ...CLUSTER_DEFAULTS, ...owned, ...common });
  return id;
}

function addAgent(key: string, clusterId: string): void {
  const about = {
    hostname: key,
    os: "linux" as const,
    arch: "x64",
    version: "1.0.0",
    interfaces: [],
    capabilities: [],
    machine: null,
  };
  const id = randomUUID();
  directory.putAgent({ id, siteId, clusterId, key, name: key, ...about, ...common });
  presence.setStatus(id, "online", at);
}

function addDevice(number: number, clusterId: string): void {
  const hex = number.toString(16).padStart(4, "0");
  directory.putDevice({
    id: randomUUID(),
    siteId,
    clusterId,
    key: `pc-${hex}`,
    name: `Ünïcode ${"ß".repeat(60)} ${hex}`,
    mac: `02:00:00:00:${hex.slice(0, 2)}:${hex.slice(2)}`,
    address: null,
    os: "other",
    enabled: true,
    secureOn: null,
    wake: { addresses: [], ports: [9], windowSeconds: null },
    watch: { icmp: true, arp: true, tcpPorts: [], intervalSeconds: 15 },
    ...DEVICE_DEFAULTS,
    agentIds: [],
    ...owned,
    ...common,
  });
}

const DEVICES = 1_500;
const [home, lab, none] = [addCluster("home"), addCluster("lab"), addCluster("unassigned", true)];
addAgent("pi", home);
addAgent("attic", none);
for (let number = DEVICES - 1; number >= 0; number--) addDevice(number, number % 3 === 0 ? lab : home);

const everything = rightsOf({ type: "anyone" });
interface Asked {
  readonly cluster?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

const page = (asked: Asked = {}, rights = everything) =>
  inventory({ directory, presence, now }, hubRequests.inventory.fields.parse(asked), rights);

/** All pages one after the other. */
function pages(asked: Asked, rights = everything): Inventory[] {
  const read = [page(asked, rights)];
  for (let cursor = read[0]?.next; cursor; cursor = read.at(-1)?.next) read.push(page({ ...asked, cursor }, rights));
  return read;
}
const keysOf = (read: Inventory[]) =>
  read.flatMap(({ clusters, agents, devices }) => [...clusters, ...agents, ...devices].map(({ key }) => String(key)));

describe("an inventory", () => {
  test("of many devices comes in pages that each fit into a packet, and names everything once, by key", () => {
    const read = pages({});
    expect(read.length).toBeGreaterThan(2);
    for (const one of read) {
      expect(Inventory.safeParse(one).error).toBeUndefined();
      expect(Buffer.byteLength(JSON.stringify(one))).toBeLessThan(MAX_PACKET_BYTES - 4 * 1_024);
    }
    const devices = [...directory.devices].map(({ key }) => key).toSorted();
    expect(keysOf(read)).toEqual(["home", "lab", "attic", "pi", ...devices]);
  });

  test.each([1, 2, 3, 7])("in pages of %d names the same", (limit) => {
    const read = pages({ cluster: "lab", limit }).slice(0, 40);
    expect(read.every((one) => keysOf([one]).length <= limit)).toBe(true);
    const whole = keysOf(pages({ cluster: "lab" }));
    expect(keysOf(read)).toEqual(whole.slice(0, keysOf(read).length));
  });

  test("tells of clusters, agents and devices how they are", () => {
    const { clusters, agents, devices } = page({ limit: 5 });
    expect(clusters[0]).toMatchObject({ key: "home", state: "OFF", agents: { total: 1, online: 1 } });
    expect(agents).toMatchObject([
      { key: "attic", cluster: null, status: "online" },
      { key: "pi", cluster: "home", status: "online", version: "1.0.0" },
    ]);
    expect(devices).toMatchObject([{ key: "pc-0000", cluster: "lab", power: "unknown", availability: "offline" }]);
  });

  test("goes on behind a thing that was removed meanwhile", () => {
    const { devices } = page({ cursor: "device:pc-0000x", limit: 1 });
    expect(devices).toMatchObject([{ key: "pc-0001" }]);
    expect(page({ cursor: "device:zzz" })).toEqual({ clusters: [], agents: [], devices: [], next: null });
  });

  test.each<[string, Requester, string]>([
    [
      "of one cluster",
      { type: "integration", siteId, permissions: new Set(["read"]), clusters: new Set(["lab"]) },
      "lab",
    ],
    [
      "of a site with nothing in it",
      { type: "integration", siteId: "x", permissions: new Set(["read"]), clusters: null },
      "",
    ],
    [
      "of a person who sees agents alone",
      { type: "person", siteId, actor: { userId: "ann", role: "user", permissions: new Set(["agent:read"]) } },
      "attic pi",
    ],
  ])("%s holds nothing else", (_name, requester, begin) => {
    const keys = keysOf(pages({}, rightsOf(requester)));
    const named = keys.filter((key) => !key.startsWith("pc-"));
    expect(named.join(" ")).toBe(begin);
    expect(keys.length - named.length).toBe(begin === "lab" ? DEVICES / 3 : 0);
  });

  test("of a cluster that is not there for the asker is refused as if there were none", () => {
    const limited = rightsOf({
      type: "integration",
      siteId,
      permissions: new Set(["read"]),
      clusters: new Set(["lab"]),
    });
    expect(() => page({ cluster: "home" }, limited)).toThrow('There is no cluster "home"');
    expect(() => page({ cluster: "nowhere" })).toThrow('There is no cluster "nowhere"');
  });
});
