import { describe, expect, test } from "vitest";
import { type Permission, type Role } from "#contracts/permissions.ts";
import { MQTT_PERMISSIONS, type MqttPermission } from "#contracts/principal.ts";
import type { DirectoryCluster, DirectoryDevice } from "../members/directory.ts";
import { type Requester, rightsOf } from "./rights.ts";

// the parts of them that rights look at
const cluster = (key: string, siteId = "house", ownerId: string | null = null) =>
  ({ key, siteId, ownerId, shares: [] }) as unknown as DirectoryCluster;
const device = (ownerId: string | null) => ({ ownerId, shares: [] }) as unknown as DirectoryDevice;

const integration = (permissions: MqttPermission[], clusters: string[] | null = null): Requester => ({
  type: "integration",
  siteId: "house",
  permissions: new Set(permissions),
  clusters: clusters && new Set(clusters),
});
const person = (role: Role, permissions: Permission[] | null = null): Requester => ({
  type: "person",
  siteId: "house",
  actor: { userId: "ann", role, permissions: permissions && new Set(permissions) },
});

/** May: r = read, w = wake, p = power, d = discovery. Sees: c = clusters, a = agents, d = devices. Wakes, and powers off: o = own, f = others'. */
test.each<[string, Requester, string, string, string, string]>([
  ["an integration that reads", integration(["read"]), "r", "cad", "", ""],
  ["an integration that wakes", integration(["wake"]), "w", "", "of", ""],
  ["an integration with power", integration(["power"]), "p", "", "", "of"],
  ["an integration for discovery", integration(["discovery"]), "d", "", "", ""],
  ["an integration without permissions", integration([]), "", "", "", ""],
  ["a superuser", person("superuser"), "rwpd", "cad", "of", "of"],
  ["an admin", person("admin"), "rwpd", "cad", "of", "of"],
  ["a user", person("user"), "rwp", "cad", "o", "o"],
  ["a viewer", person("viewer"), "r", "cd", "", ""],
  ["an admin's token for reading devices", person("admin", ["device:read"]), "r", "d", "", ""],
  ["a user's token that wakes", person("user", ["device:wake"]), "w", "", "o", ""],
  ["a user's token that powers off", person("user", ["device:power"]), "p", "", "", "o"],
  ["a user's token for clusters", person("user", ["cluster:read"]), "", "c", "", ""],
  ["somebody on another broker", { type: "anyone" }, "rwpd", "cad", "of", "of"],
  ["somebody who is gone", { type: "nobody" }, "", "", "", ""],
])("%s may ask for what its rights say", (_name, requester, may, sees, wakes, powers) => {
  const rights = rightsOf(requester);
  const letters = (all: readonly string[], has: (one: never) => boolean) =>
    all.map((one) => (has(one as never) ? one.charAt(0) : "")).join("");
  expect(letters(["read", "wake", "power", "discovery"], (one) => rights.may(one))).toBe(may);
  expect(letters(["cluster", "agent", "device"], (one) => rights.sees(one))).toBe(sees);
  const wakesOf = (ownerId: string) => rights.may("wake") && rights.mayWake(device(ownerId), cluster("home"));
  const powersOf = (ownerId: string) => rights.may("power") && rights.mayPower(device(ownerId), cluster("home"));
  const reach = (of: (ownerId: string) => boolean) => (of("ann") ? "o" : "") + (of("ben") ? "f" : "");
  expect([reach(wakesOf), reach(powersOf)]).toEqual([wakes, powers]);
});

describe("a cluster is there", () => {
  test.each<[string, Requester, string]>([
    ["for an integration of all clusters in its site", integration([...MQTT_PERMISSIONS]), "home lab"],
    ["for an integration of one cluster when it is that", integration(["read"], ["lab"]), "lab"],
    ["for an integration of no cluster never", integration(["read"], []), ""],
    ["for a person in the site of the token", person("viewer"), "home lab"],
    ["for somebody on another broker always", { type: "anyone" }, "home lab till"],
    ["for somebody who is gone never", { type: "nobody" }, ""],
  ])("%s", (_name, requester, there) => {
    const all = [cluster("home"), cluster("lab"), cluster("till", "shop")];
    const reached = all.filter((one) => rightsOf(requester).reaches(one));
    expect(reached.map(({ key }) => key).join(" ")).toBe(there);
  });
});

test("a person wakes the devices of the own cluster, whosever they are", () => {
  expect(rightsOf(person("user")).mayWake(device("ben"), cluster("home", "house", "ann"))).toBe(true);
});
