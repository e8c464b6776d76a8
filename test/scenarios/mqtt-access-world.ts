import { type Role, TokenPermission, reachOf } from "#contracts/permissions.ts";
import type { TestHub } from "#test/fixtures/hub.ts";
import type { TestMqttClient } from "#test/fixtures/mqtt.ts";
import { type Person, type TestSite, addPerson, addSite, addToken, firstSite } from "#test/fixtures/people.ts";
import { type ScriptedAgent, freshMac, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";
import { type Cell, type Kind, KINDS, type Place, type Right, cellsOf, expected } from "./mqtt-access-table.ts";

/** Everybody of the table, seated in two sites of a hub. */

export interface Seat {
  readonly name: string;
  readonly kind: Kind;
  readonly site: "home" | "away";
}

export const SEATS: readonly Seat[] = [
  ...KINDS.map((kind): Seat => ({ name: kind, kind, site: "home" })),
  ...(["agent", "read", "wake", "discovery", "admin", "viewer"] as const).map((kind): Seat => ({
    name: `${kind} of the other site`,
    kind,
    site: "away",
  })),
];

export interface AccessWorld {
  readonly sites: { readonly home: TestSite; readonly away: TestSite };
  readonly cells: readonly Cell[];
  readonly clientOf: (seat: Seat) => TestMqttClient;
  close(): Promise<void>;
}

/** @param seats who takes part; on a broker that goes by files persons cannot. */
export async function openAccessWorld(hub: TestHub, seats: readonly Seat[] = SEATS): Promise<AccessWorld> {
  const sites = { home: await firstSite(hub), away: await addSite(hub, "Away") };
  const clients = new Map<string, TestMqttClient>();
  const agents: ScriptedAgent[] = [];
  const keys = await furnish();
  return {
    sites,
    cells: cellsOf((parameter, place) => keys.get(`${parameter} ${place}`) ?? "probe"),
    clientOf: ({ name }) => clients.get(name) as TestMqttClient, // everybody has been seated
    close: async () => {
      for (const client of clients.values()) await client.close();
      for (const agent of agents) await agent.close();
    },
  };

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
        { api: site.api, mqttUrl: hub.mqttUrl, connect: hub.connect },
        { name: `Pi ${place}`, clusterId: cluster.id },
      );
      agents.push(agent);
      if (place === "own") clients.set("agent", agent.mqtt);
      if (place === "away") clients.set("agent of the other site", agent.mqtt);
      keys.set(`cluster ${place}`, cluster.key).set(`device ${place}`, device.key).set(`agent ${place}`, agent.key);
      if (place !== "beside") {
        const when = { type: "cron", cron: "0 7 * * *", timeZone: "UTC" };
        const schedule = await add(site, "/schedules", { name: `Day ${place}`, action: "wake", when, ...rights });
        keys.set(`schedule ${place}`, schedule.key);
      }
      keys.set(`object_id ${place}`, `powerbeacon_device_${device.id}`);
      keys.set(`component ${place}`, `switch/powerbeacon_device_${device.id}/power`);
    }
    const limits = [clusters.own.id];
    for (const one of seats) if (one.kind !== "agent") clients.set(one.name, await seat(one, user, limits));
    return keys;
  }

  async function seat({ kind, site }: Seat, user: Person, clusterIds: string[]): Promise<TestMqttClient> {
    const place = sites[site];
    const shown = (username: string, password: string) => hub.connect({ username, password, protocolVersion: 5 });
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
}

/** The people among the clients: what they are, and what their tokens are for where that is less than they may. */
export const PEOPLE = new Map<Kind, { role: Exclude<Role, "superuser">; permissions?: TokenPermission[] }>([
  ["admin", { role: "admin" }],
  ["user", { role: "user" }],
  ["viewer", { role: "viewer" }],
  ["idle", { role: "admin", permissions: ["device:read", "cluster:read", "agent:read"] }],
  ["narrow", { role: "admin", permissions: ["cluster:read"] }],
]);

/** A place as a client sees it. */
export function seen({ site }: Seat, place: Place): Place {
  if (site === "home" || place === "hub") return place;
  return place === "away" ? "own" : "away";
}

/** Topics that may be about any site: a broker of somebody else's cannot tell of which, so nobody of several uses them there. */
const OF_ANY_SITE = new Set(["event", "hub/response/<verb>", "hub/request/<verb>"]);
/** Requests that may name what their sender must not wake; the hub does not learn there who that is. */
const OF_MANY = new Set(["cluster/<cluster>/wake", "cluster/<cluster>/set"]);

/**
 * What the table comes to where nobody sees payloads: whoever may publish or read one kind of message on a topic may do so
 * with all of them. `t` and `e` are one where the flag is known; where it is not, so is `p`.
 */
export function expectedUnseen(cells: readonly Cell[], seat: Seat, cell: Cell, rights: readonly Right[]): boolean {
  if (OF_ANY_SITE.has(cell.row) || (seat.kind === "user" && OF_MANY.has(cell.row.replace("*", "")))) return false;
  const place = cell.isOfSite ? "own" : seen(seat, cell.place);
  return cells
    .filter((other) => other.topic === cell.topic && (!cell.isOfSite || other.place === "own"))
    .some((other) => rights.some((right) => expected(seat.kind, other, place, right)));
}
