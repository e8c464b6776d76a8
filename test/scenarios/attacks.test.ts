import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EnrolGrant } from "#contracts/enrolment.ts";
import { type Api, type ApiAnswer, createApi } from "#test/fixtures/api.ts";
import { query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import {
  BEHIND_PROXY,
  type Person,
  type TestSite,
  addPerson,
  addSite,
  addToken,
  firstSite,
} from "#test/fixtures/people.ts";
import { enrolBody, freshMac, freshName } from "#test/fixtures/scripted-agent.ts";

/** What somebody tries who has an account, and wants more than it gives. */

let hub: TestHub;
let home: TestSite;
let away: TestSite;
let admin: Person;
let otherAdmin: Person;
let ann: Person;
let bob: Person;
let viewer: Person;
let ofBoth: Person;
let awayUser: Person;
let superuser: Person;
/** Ann's. */
let device: string;
let cluster: string;
/** Of the other site. */
let awayDevice: string;
let awayCluster: string;

beforeAll(async () => {
  hub = await startTestHub(BEHIND_PROXY);
  [home, away] = [await firstSite(hub), await addSite(hub)];
  superuser = await addPerson(hub, home, "superuser");
  [admin, otherAdmin] = [await addPerson(hub, home, "admin"), await addPerson(hub, home, "admin")];
  [ann, bob, viewer] = [
    await addPerson(hub, home, "user"),
    await addPerson(hub, home, "user"),
    await addPerson(hub, home, "viewer"),
  ];
  ofBoth = await addPerson(hub, home, "user");
  await away.api.patch(`/users/${ofBoth.id}`, { role: "viewer" });
  awayUser = await addPerson(hub, away, "user");
  device = await newDevice(ann.api);
  cluster = await newCluster(ann.api, { deviceIds: [device] });
  awayDevice = await newDevice(away.api);
  awayCluster = await newCluster(away.api);
});

afterAll(() => hub.close());

const newDevice = async (api: Api, fields: object = {}): Promise<string> =>
  (await api.post("/devices", { name: freshName("Device"), mac: freshMac(), ...fields })).body.id;
const newCluster = async (api: Api, fields: object = {}): Promise<string> =>
  (await api.post("/clusters", { name: freshName("Cluster"), ...fields })).body.id;

/** Who is what, everywhere. */
async function roles(): Promise<unknown> {
  const users = await query(hub.databaseUrl, 'select id, superuser, enabled, password_hash from "user" order by id');
  return [users, await query(hub.databaseUrl, "select * from membership order by user_id, site_id")];
}

type Try = readonly [what: string, answer: () => Promise<ApiAnswer>, status: number];

describe("who wants another role gets none", () => {
  const own = (person: Person) => `/users/${person.id}`;
  const somebody = (fields: object) => ({
    username: freshName("x").replace(" ", "-"),
    password: "long enough",
    ...fields,
  });
  const hash = `$2b$04$${"a".repeat(53)}`;

  test.each<Try>([
    ["an admin makes itself a superuser", () => admin.api.patch(own(admin), { role: "superuser" }), 403],
    ["an admin changes its own account the long way", () => admin.api.patch(own(admin), { enabled: true }), 403],
    ["an admin makes a superuser", () => admin.api.post("/users", somebody({ role: "superuser" })), 403],
    ["an admin makes another admin", () => admin.api.post("/users", somebody({ role: "admin" })), 403],
    ["an admin makes a user a superuser", () => admin.api.patch(own(bob), { role: "superuser" }), 403],
    ["an admin makes a user an admin", () => admin.api.put(own(bob), { role: "admin" }), 403],
    [
      "an admin brings a password's hash along",
      () => admin.api.post("/users", somebody({ password: undefined, passwordHash: hash })),
      403,
    ],
    [
      "an admin sets a superuser's password",
      () => admin.api.patch(own(superuser), { password: "mine from now on" }),
      404,
    ],
    [
      "an admin sets another admin's password",
      () => admin.api.patch(own(otherAdmin), { password: "mine from now on" }),
      403,
    ],
    [
      "an admin sets the password of who is in another site, too",
      () => admin.api.patch(own(ofBoth), { password: "mine from now on" }),
      403,
    ],
    [
      "an admin sets the password of who is in another site",
      () => admin.api.patch(own(awayUser), { password: "mine from now on" }),
      404,
    ],
    ["an admin takes somebody of another site in", () => admin.api.patch(own(awayUser), { role: "user" }), 404],
    ["an admin deletes a superuser", () => admin.api.delete(own(superuser)), 404],
    ["an admin makes a site", () => admin.api.post("/sites", { name: "Mine" }), 403],
    [
      "an admin opens a way in by a provider",
      () => admin.api.put("/config/oidc", { enabled: true, issuer: "https://mine.test", clientId: "x" }),
      403,
    ],
    [
      "an admin calls in another site",
      () => createApi(hub.url, admin.token, { "x-powerbeacon-site": away.key }).get("/users"),
      403,
    ],
    ["a user makes itself an admin", () => bob.api.patch(own(bob), { role: "admin" }), 403],
    ["a user makes an account", () => bob.api.post("/users", somebody({ role: "viewer" })), 403],
    ["a user sets a role in its profile", () => bob.api.patch("/auth/me", { role: "admin" }), 422],
    ["a user sets a column of its row", () => bob.api.patch("/auth/me", { superuser: true }), 422],
    ["a user sets its permissions", () => bob.api.put("/auth/me", { permissions: ["hub:manage"] }), 422],
    [
      "a user sets a prototype",
      () => bob.api.post("/tokens", '{"name":"x","permissions":["device:read"],"__proto__":{"role":"admin"}}'),
      422,
    ],
    [
      "a user sets a password without the old one",
      () => bob.api.patch("/auth/me", { password: "mine from now on" }),
      422,
    ],
    [
      "a user has the first superuser made again",
      () => bob.api.post("/setup/init", { ...somebody({}), setupCode: "x" }),
      409,
    ],
    ["a viewer makes a join code", () => viewer.api.post("/enrolments", {}), 403],
    [
      "a viewer makes an MQTT credential",
      () => viewer.api.post("/mqtt-clients", { name: "x", permissions: ["power"] }),
      403,
    ],
  ])("%s", async (_what, answer, status) => {
    const before = await roles();
    expect(await answer()).toMatchObject({ status });
    expect(await roles()).toEqual(before);
  });

  test("an admin who sets the password of somebody who is made a superuser at the same moment comes too late", async () => {
    const risen = await addPerson(hub, home, "user");
    const [password, rise] = await Promise.all([
      admin.api.patch(own(risen), { password: "known to the admin" }),
      home.api.patch(own(risen), { role: "superuser" }),
    ]);
    expect(rise.status).toBe(200);
    // or it came first, and whoever raises an account may know of it from the log
    const log = await query(hub.databaseUrl, "select action, details from audit where target_id = $1 order by id", [
      risen.id,
    ]);
    const risenAt = log.findIndex(({ details }) => String(details).includes("superuser"));
    expect(log.findLastIndex(({ action }) => action === "user.password")).toBeLessThan(risenAt);
    expect(password.status === 200).toBe(log.some(({ action }) => action === "user.password"));
  });
});

describe("a personal token gives no more than it was given", () => {
  test.each<Try>([
    [
      "makes another token",
      async () => (await byToken()).post("/tokens", { name: "x", permissions: ["device:read"] }),
      403,
    ],
    ["lists the tokens", async () => (await byToken()).get("/tokens"), 403],
    ["sets the password", async () => (await byToken()).patch("/auth/me", { password: "mine from now on" }), 403],
    ["sees the sessions", async () => (await byToken()).get("/auth/sessions"), 403],
    ["makes a user", async () => (await byToken()).post("/users", {}), 403],
    ["makes a site", async () => (await byToken()).post("/sites", { name: "x" }), 403],
    ["is wanted for accounts", () => superuser.api.post("/tokens", { name: "x", permissions: ["user:manage"] }), 422],
    ["is wanted for one's own account", () => superuser.api.post("/tokens", { name: "x", permissions: ["self"] }), 422],
    [
      "is wanted for more than the role",
      () => bob.api.post("/tokens", { name: "x", permissions: ["agent:manage"] }),
      403,
    ],
  ])("when one %s", async (_what, answer, status) => {
    expect(await answer()).toMatchObject({ status });
  });

  async function byToken(): Promise<Api> {
    const { token } = await addToken(superuser.api, ["device:read", "device:change", "agent:manage", "audit:read"]);
    return createApi(hub.url, token);
  }
});

describe("who wants somebody else's machine does not get it", () => {
  test.each<Try>([
    [
      "by moving it into a cluster of one's own",
      async () => bob.api.patch(`/clusters/${await newCluster(bob.api)}`, { deviceIds: [device] }),
      403,
    ],
    [
      "by making a cluster around it",
      () => bob.api.post("/clusters", { name: freshName("Cluster"), deviceIds: [device] }),
      403,
    ],
    [
      "by making a cluster around the agents",
      async () => bob.api.post("/clusters", { name: "x", agentIds: [await agentId()] }),
      403,
    ],
    ["by moving it away from its cluster", () => bob.api.patch(`/devices/${device}`, { clusterId: null }), 403],
    ["by taking over its cluster", () => bob.api.patch(`/clusters/${cluster}`, { ownerId: bob.id }), 403],
    ["by taking it over", () => bob.api.patch(`/devices/${device}`, { ownerId: bob.id }), 403],
    [
      "by sharing it with oneself",
      () => bob.api.patch(`/devices/${device}`, { shares: [{ userId: bob.id, level: "wake" }] }),
      403,
    ],
    [
      "by making a device in somebody's name",
      () => bob.api.post("/devices", { name: "x", mac: freshMac(), ownerId: ann.id }),
      403,
    ],
    [
      "by giving one's own to somebody",
      async () => bob.api.patch(`/devices/${await newDevice(bob.api)}`, { ownerId: superuser.id }),
      403,
    ],
    [
      "by sharing one's own with somebody elsewhere",
      async () =>
        bob.api.patch(`/devices/${await newDevice(bob.api)}`, { shares: [{ userId: awayUser.id, level: "view" }] }),
      422,
    ],
    ["by waking it", () => bob.api.post(`/devices/${device}/wake`, {}), 403],
    ["by waking its cluster", () => bob.api.post(`/clusters/${cluster}/wake`, {}), 403],
    ["of another site, by waking it", () => bob.api.post(`/devices/${awayDevice}/wake`, {}), 404],
    [
      "of another site, by moving it into a cluster of one's own",
      () => admin.api.post("/clusters", { name: "x", deviceIds: [awayDevice] }),
      404,
    ],
    [
      "of another site, by putting one's own beside it",
      () => admin.api.post("/devices", { name: "x", mac: freshMac(), clusterId: awayCluster }),
      404,
    ],
    [
      "of another site, by a join code of its cluster",
      () => admin.api.post("/enrolments", { clusterId: awayCluster }),
      404,
    ],
    [
      "of another site, by an MQTT credential of its cluster",
      () => admin.api.post("/mqtt-clients", { name: "x", permissions: ["wake"], clusterIds: [awayCluster] }),
      404,
    ],
  ])("%s", async (_what, answer, status) => {
    expect(await answer()).toMatchObject({ status });
    expect((await ann.api.get(`/devices/${device}`)).body).toMatchObject({
      ownerId: ann.id,
      clusterId: cluster,
      shares: [],
    });
  });

  test("that one may look at, by sharing it with oneself for more", async () => {
    const shared = await newDevice(ann.api, {
      shares: [
        { userId: bob.id, level: "view" },
        { userId: viewer.id, level: "wake" },
      ],
    });
    const more = { shares: [{ userId: bob.id, level: "wake" }] };
    expect(await bob.api.patch(`/devices/${shared}`, more)).toMatchObject({ status: 403 });
    expect(await bob.api.post(`/devices/${shared}/wake`, {})).toMatchObject({ status: 403 });
    // a share gives no more than the role
    expect(await viewer.api.post(`/devices/${shared}/wake`, {})).toMatchObject({ status: 403 });
  });

  async function agentId(): Promise<string> {
    const { body } = await home.api.post("/enrolments", {});
    const answer = await createApi(hub.url).post("/agents/enrol", enrolBody(body.code));
    return EnrolGrant.parse(decodeJwt(answer.body.grant)).agentId;
  }
});
