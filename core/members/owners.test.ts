import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Api, createApi } from "#test/fixtures/api.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";

const PASSWORD = "correct horse battery";
let hub: TestHub;
let [ann, bob, viewer]: Api[] = [];
let [annId, bobId, viewerId]: string[] = [];
let macs = 0;

beforeAll(async () => {
  hub = await startTestHub();
  [ann, annId] = await addUser("ann", "user");
  [bob, bobId] = await addUser("bob", "user");
  [viewer, viewerId] = await addUser("viewer", "viewer");
});

afterAll(() => hub.close());

async function addUser(username: string, role: string): Promise<[Api, string]> {
  const { body } = await hub.api.post("/users", { username, password: PASSWORD, role });
  return [await createApi(hub.url).logIn({ username, password: PASSWORD }), body.id];
}

async function addDevice(by: Api | undefined, fields: object = {}): Promise<string> {
  const mac = `02:00:00:00:40:${(++macs).toString(16).padStart(2, "0")}`;
  const { status, body } = await by!.post("/devices", { name: "PC", mac, ...fields });
  expect({ status, body }).toMatchObject({ status: 201 });
  return body.id;
}

/** Nobody can wake it, but whoever may not is told so first. */
const wakes = async (api: Api | undefined, id: string) => (await api!.post(`/devices/${id}/wake`)).body.code as string;

describe("a device", () => {
  let device: string;

  beforeEach(async () => {
    device = await addDevice(ann);
  });

  test("belongs to whoever made it, who may change, wake and delete it", async () => {
    expect((await ann!.get(`/devices/${device}`)).body).toMatchObject({ ownerId: annId, shares: [] });
    expect((await ann!.patch(`/devices/${device}`, { name: "Desk" })).status).toBe(200);
    expect(await wakes(ann, device)).toBe("NO_AGENT");
    expect((await ann!.delete(`/devices/${device}`)).status).toBe(204);
  });

  test("of somebody else is seen, and neither changed, woken nor deleted", async () => {
    expect((await bob!.get(`/devices/${device}`)).status).toBe(200);
    for (const answer of [
      await bob!.patch(`/devices/${device}`, { name: "X" }),
      await bob!.delete(`/devices/${device}`),
    ])
      expect(answer).toMatchObject({ status: 403, body: { code: "FORBIDDEN" } });
    expect(await wakes(bob, device)).toBe("FORBIDDEN");
    expect((await ann!.get(`/devices/${device}`)).body.name).toBe("PC");
  });

  test("that is shared for waking may be woken, and nothing else", async () => {
    await ann!.patch(`/devices/${device}`, { shares: [{ userId: bobId, level: "wake" }] });
    expect(await wakes(bob, device)).toBe("NO_AGENT");
    expect((await bob!.patch(`/devices/${device}`, { name: "X" })).status).toBe(403);
    expect((await bob!.patch(`/devices/${device}`, { shares: [] })).status).toBe(403);
    await ann!.patch(`/devices/${device}`, { shares: [{ userId: bobId, level: "view" }] });
    expect(await wakes(bob, device)).toBe("FORBIDDEN");
  });

  test("stays shared with somebody who is disabled, and can be shared with others meanwhile", async () => {
    const [, carlId] = await addUser("carl", "user");
    await ann!.patch(`/devices/${device}`, { shares: [{ userId: carlId, level: "view" }] });
    await hub.api.patch(`/users/${carlId}`, { enabled: false });
    const shares = [
      { userId: carlId, level: "view" },
      { userId: bobId, level: "wake" },
    ];
    expect((await ann!.patch(`/devices/${device}`, { shares })).status).toBe(200);
    expect((await ann!.get(`/devices/${device}`)).body.shares).toEqual(expect.arrayContaining(shares));
    expect((await ann!.patch(`/devices/${device}`, { shares: shares.slice(1) })).body.shares).toEqual(shares.slice(1));
  });

  test("keeps its owner and shares over a restart", async () => {
    const shares = [{ userId: bobId, level: "wake" }];
    await ann!.patch(`/devices/${device}`, { shares });
    await hub.restart();
    expect((await ann!.get(`/devices/${device}`)).body).toMatchObject({ ownerId: annId, shares });
  });

  test("is lost at once by an owner who becomes a viewer", async () => {
    await hub.api.patch(`/users/${annId}`, { role: "viewer" });
    expect((await ann!.patch(`/devices/${device}`, { name: "X" })).status).toBe(403);
    expect(await wakes(ann, device)).toBe("FORBIDDEN");
    await hub.api.patch(`/users/${annId}`, { role: "user" });
    expect(await wakes(ann, device)).toBe("NO_AGENT");
  });

  test.each([
    ["address", { address: "127.0.0.1" }],
    ["address", { address: "localhost" }],
    ["address", { address: "0x7f.0.0.1" }],
    ["address", { address: "169.254.169.254" }],
    ["address", { address: "::1" }],
    ["wake.addresses.1", { wake: { addresses: ["192.168.1.255", "127.255.255.255"] } }],
  ])("does not make agents look around on their own machine for a user: %s %j", async (path, change) => {
    expect(await ann!.patch(`/devices/${device}`, change)).toMatchObject({ status: 403, body: { errors: [{ path }] } });
    expect((await hub.api.patch(`/devices/${device}`, change)).status).toBe(200);
  });

  test("may be anywhere on a LAN, and have its packets sent to everybody there", async () => {
    const change = { address: "192.168.7.7", wake: { addresses: ["255.255.255.255", "192.168.7.255"] } };
    expect((await ann!.patch(`/devices/${device}`, change)).status).toBe(200);
  });

  test("is handed on by administrators alone, to a member of the site", async () => {
    expect((await ann!.patch(`/devices/${device}`, { ownerId: bobId })).body.errors).toMatchObject([
      { path: "ownerId" },
    ]);
    const nobody = "11111111-1111-4111-8111-111111111111";
    expect(await hub.api.patch(`/devices/${device}`, { ownerId: nobody })).toMatchObject({ status: 422 });
    expect((await hub.api.patch(`/devices/${device}`, { ownerId: bobId })).body.ownerId).toBe(bobId);
    expect((await ann!.patch(`/devices/${device}`, { name: "X" })).status).toBe(403);
    expect((await hub.api.patch(`/devices/${device}`, { ownerId: null })).body.ownerId).toBeNull();
  });

  test.each([
    ["somebody unknown", () => [{ userId: "11111111-1111-4111-8111-111111111111", level: "wake" }]],
    [
      "somebody twice",
      () => [
        { userId: bobId, level: "wake" },
        { userId: bobId, level: "view" },
      ],
    ],
    ["a level that is none", () => [{ userId: bobId, level: "own" }]],
  ])("is not shared with %s", async (_what, shares) => {
    const { status, body } = await ann!.patch(`/devices/${device}`, { shares: shares() });
    expect(status).toBe(422);
    expect(body.errors[0].path).toMatch(/^shares/);
    expect((await ann!.get(`/devices/${device}`)).body.shares).toEqual([]);
  });

  test("shows a viewer neither its agents nor people", async () => {
    await ann!.patch(`/devices/${device}`, { shares: [{ userId: viewerId, level: "wake" }] });
    expect((await viewer!.get(`/devices/${device}`)).body).toMatchObject({ ownerId: null, shares: [], agentIds: [] });
    expect(await wakes(viewer, device)).toBe("FORBIDDEN");
  });
});

describe("a cluster", () => {
  test("of one's own, or shared for waking, lets all of its devices be woken", async () => {
    const { body: cluster } = await ann!.post("/clusters", { name: "Desk" });
    const device = await addDevice(bob, { clusterId: cluster.id });
    expect(await wakes(ann, device)).toBe("NO_AGENT");
    const other = await addDevice(ann, { clusterId: cluster.id });
    expect(await wakes(bob, other)).toBe("FORBIDDEN");
    await ann!.patch(`/clusters/${cluster.id}`, { shares: [{ userId: bobId, level: "wake" }] });
    expect(await wakes(bob, other)).toBe("NO_AGENT");
    expect((await bob!.patch(`/clusters/${cluster.id}`, { name: "X" })).status).toBe(403);
  });

  test("does not swallow the devices of others", async () => {
    const device = await addDevice(bob);
    const before = (await bob!.get(`/devices/${device}`)).body;
    const refused = { status: 403, body: { errors: [{ path: "deviceIds" }] } };
    expect(await ann!.post("/clusters", { name: "Trap", deviceIds: [device] })).toMatchObject(refused);
    const { body: cluster } = await ann!.post("/clusters", { name: "Trap" });
    expect(await ann!.patch(`/clusters/${cluster.id}`, { deviceIds: [device] })).toMatchObject(refused);
    expect((await bob!.get(`/devices/${device}`)).body).toEqual(before);
    expect(await wakes(ann, device)).toBe("FORBIDDEN");
  });

  test("wakes what the caller may wake, and names the others", async () => {
    const { body: cluster } = await hub.api.post("/clusters", { name: "Shared room" });
    const mine = await addDevice(ann, { clusterId: cluster.id, name: "Mine" });
    await addDevice(bob, { clusterId: cluster.id, name: "Theirs" });
    const { status, body } = await ann!.post(`/clusters/${cluster.id}/wake`);
    expect(status).toBe(202);
    expect(body.wakes).toMatchObject([
      { device: (await ann!.get(`/devices/${mine}`)).body.key, code: "NO_AGENT" },
      { wake: null, stage: "refused", code: "FORBIDDEN" },
    ]);
    expect((await viewer!.post(`/clusters/${cluster.id}/wake`)).status).toBe(403);
  });
});
