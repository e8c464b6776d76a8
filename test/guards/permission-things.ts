import { decodeJwt } from "jose";
import { randomUUID } from "node:crypto";
import { EnrolGrant } from "#contracts/enrolment.ts";
import { type ApiAnswer, createApi } from "#test/fixtures/api.ts";
import { query } from "#test/fixtures/database.ts";
import type { TestHub } from "#test/fixtures/hub.ts";
import { type Person, type TestSite, addPerson, addToken, fromElsewhere, logIn } from "#test/fixtures/people.ts";
import { enrolBody, freshMac, freshName, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

/** Makes one more of each thing that a call can name. Each answers with the id. */
export interface Things {
  device(site: TestSite, rights: Ownership): Promise<string>;
  /** With a device in it, which is somebody else's. */
  cluster(site: TestSite, rights: Ownership): Promise<string>;
  /** Of a device with these rights; it runs for a quarter of an hour. */
  wake(site: TestSite, rights: Ownership): Promise<string>;
  /** Of a device with these rights; it is over. */
  powerOff(site: TestSite, rights: Ownership): Promise<string>;
  schedule(site: TestSite, rights: Ownership): Promise<string>;
  /** Somebody else's, on a device with these rights. */
  lease(site: TestSite, rights: Ownership): Promise<string>;
  agent(site: TestSite): Promise<string>;
  enrolment(site: TestSite): Promise<string>;
  mqttClient(site: TestSite): Promise<string>;
  site(): Promise<string>;
  /** @param more sites that the account belongs to, besides the first. */
  user(site: TestSite, role: string, more?: readonly TestSite[]): Promise<string>;
  session(person: Person): Promise<string>;
  token(person: Person): Promise<string>;
  identity(person: Person): Promise<string>;
  /** Owns what is somebody else's. */
  neighbour(site: TestSite): Person;
  close(): Promise<void>;
}

export interface Ownership {
  readonly ownerId: string;
  readonly shares?: readonly { readonly userId: string; readonly level: "view" | "wake" }[];
  readonly clusterOwnerId?: string;
}

/** Nobody logs in as these, so no time goes into their hashes. */
const SOME_HASH = `$2b$04$${"a".repeat(53)}`;

export async function openThings(hub: TestHub, sites: readonly TestSite[]): Promise<Things> {
  const rooms = new Map(await Promise.all(sites.map(async (site) => [site.id, await furnish(hub, site)] as const)));
  const roomOf = ({ id }: TestSite) => rooms.get(id) ?? expectedRoom();
  const providerId = await addProvider(hub);

  async function device(site: TestSite, { clusterOwnerId, ...rights }: Ownership): Promise<string> {
    const clusterId =
      clusterOwnerId === undefined
        ? roomOf(site).clusterId
        : await idOf(site.api.post("/clusters", { name: freshName("Cluster"), ownerId: clusterOwnerId }));
    const watch = { icmp: false, arp: false };
    const fields = { name: freshName("Device"), mac: freshMac(), clusterId, watch, wake: { windowSeconds: 900 } };
    return await idOf(site.api.post("/devices", { ...fields, ...rights }));
  }

  return {
    device,
    cluster: async (site, rights) => {
      const clusterId = await idOf(site.api.post("/clusters", { name: freshName("Cluster"), ...rights }));
      const ownerId = roomOf(site).neighbour.id;
      await idOf(site.api.post("/devices", { name: freshName("Device"), mac: freshMac(), clusterId, ownerId }));
      return clusterId;
    },
    wake: async (site, rights) => {
      const { body } = await site.api.post(`/devices/${await device(site, rights)}/wake`);
      return body.wake;
    },
    powerOff: async (site, rights) => {
      const id = randomUUID();
      await query(
        hub.databaseUrl,
        `insert into power_off (id, site_id, device_id, action, way, force, requested_at, requested_by, stage, finished_at, stages)
         values ($1, $2, $3, 'shutdown', 'agent', false, now(), 'somebody', 'off', now(), '[]')`,
        [id, site.id, await device(site, rights)],
      );
      return id;
    },
    schedule: ({ api }, { ownerId }) => {
      const when = { type: "cron", cron: "0 0 29 2 *", timeZone: "UTC" };
      return idOf(api.post("/schedules", { name: freshName("Schedule"), action: "wake", when, ownerId }));
    },
    lease: async (site, rights) =>
      await idOf(site.api.post(`/devices/${await device(site, rights)}/leases`, { wake: false })),
    agent: async ({ api }) => {
      const { body } = await api.post("/enrolments", {});
      const answer = await api.post("/agents/enrol", enrolBody(body.code), fromElsewhere());
      return EnrolGrant.parse(decodeJwt(answer.body.grant)).agentId;
    },
    enrolment: ({ api }) => idOf(api.post("/enrolments", {})),
    mqttClient: ({ api }) => idOf(api.post("/mqtt-clients", { name: freshName("Client"), permissions: ["read"] })),
    site: () => idOf(hub.api.post("/sites", { name: freshName("Site") })),
    user: async ({ api }, role, more = []) => {
      const username = `somebody-${randomUUID().slice(0, 8)}`;
      const id = await idOf(api.post("/users", { username, passwordHash: SOME_HASH, role }));
      for (const site of more) await idOf(site.api.patch(`/users/${id}`, { role }));
      return id;
    },
    session: async (person) => String(decodeJwt(await logIn(hub.url, person))["sid"]),
    token: async ({ api }) => (await addToken(api, ["device:read"])).id,
    identity: async ({ id: userId }) => {
      const id = randomUUID();
      await query(
        hub.databaseUrl,
        `insert into identity (id, user_id, provider_id, issuer, subject, created_at) values ($1::uuid, $2, $3, 'https://login.test', $1::text, now())`,
        [id, userId, providerId],
      );
      return id;
    },
    neighbour: (site) => roomOf(site).neighbour,
    close: async () => {
      for (const { agent } of rooms.values()) await agent.close();
    },
  };
}

/** A cluster with an agent that is there, so that its devices can be woken. */
async function furnish(hub: TestHub, site: TestSite) {
  const clusterId = await idOf(site.api.post("/clusters", { name: freshName("Room") }));
  const agent = await startScriptedAgent({ api: site.api, mqttUrl: hub.mqttUrl }, { clusterId });
  return { clusterId, agent, neighbour: await addPerson(hub, site, "user") };
}

async function addProvider({ api, url, databaseUrl }: TestHub): Promise<string> {
  const settings = { enabled: false, issuer: "https://login.test", clientId: "powerbeacon" };
  await createApi(url, api.token).put("/config/oidc", settings);
  const [row] = await query(databaseUrl, "select id from provider");
  return String(row?.["id"]);
}

async function idOf(answer: Promise<ApiAnswer>): Promise<string> {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`nothing was made: ${status} ${JSON.stringify(body)}`);
  return body.id;
}

function expectedRoom(): never {
  throw new Error("every site has its room");
}
