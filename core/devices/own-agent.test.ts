import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BEHIND_PROXY, addPerson, addSite, firstSite } from "#test/fixtures/people.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type ScriptedAgent, freshMac, freshName, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

/** The agent on a device's very machine, where a person chooses it. */

let hub: TestHub;
let clusterId: string;
let pi: ScriptedAgent;
let own: ScriptedAgent;

beforeAll(async () => {
  hub = await startTestHub(BEHIND_PROXY);
  clusterId = (await hub.api.post("/clusters", { name: "Lab" })).body.id;
  pi = await startScriptedAgent(hub, { name: "Pi", clusterId });
  own = await startScriptedAgent(hub, { name: "Own", clusterId });
});

afterAll(async () => {
  await pi.close();
  await own.close();
  await hub.close();
});

async function addDevice(fields: object = {}) {
  const about = { name: freshName("Box"), mac: freshMac(), clusterId, agentIds: [pi.id] };
  return await hub.api.post("/devices", { ...about, ...fields });
}

describe("the agent that is chosen for a machine", () => {
  test("powers it off, whatever MAC addresses it has, and is told that it was chosen", async () => {
    const { body: device } = await addDevice({ power: { ownAgentId: own.id, off: "sleep", graceSeconds: 60 } });
    expect(device.powerSettings).toEqual({
      ownAgentId: own.id,
      off: "sleep",
      countdownSeconds: 30,
      graceSeconds: 60,
      offAfterLease: false,
    });
    await own.runsOn({ id: device.id, mac: freshMac() });
    const { body } = await hub.api.post(`/devices/${device.id}/power`, { action: "off" });
    expect(body).toMatchObject({ action: "sleep", stage: "sent" });
    await expect.poll(() => own.powerOrders().at(-1)).toMatchObject({ device: device.key, chosen: true });
    const given = { code: "DUPLICATE", errors: [{ path: "power.ownAgentId" }] };
    expect(await addDevice({ power: { ownAgentId: own.id } })).toMatchObject({ status: 409, body: given });
    const { body: other } = await addDevice();
    const patched = await hub.api.patch(`/devices/${other.id}`, { power: { ownAgentId: own.id } });
    expect(patched).toMatchObject({ status: 409, body: given });
    await hub.api.patch(`/devices/${device.id}`, { power: { ownAgentId: null } });
    expect((await hub.api.get(`/devices/${device.id}`)).body.powerActions).toEqual([]);
    expect(await hub.api.patch(`/devices/${other.id}`, { power: { ownAgentId: own.id } })).toMatchObject({
      status: 200,
      body: { powerActions: ["shutdown", "sleep", "reboot"] },
    });
    await hub.api.delete(`/devices/${other.id}`);
  });

  test("has to be one of the site", async () => {
    const away = await addSite(hub);
    const theirs = await startScriptedAgent({ api: away.api, mqttUrl: hub.mqttUrl }, { name: "Theirs" });
    for (const ownAgentId of [theirs.id, randomUUID()])
      expect(await addDevice({ power: { ownAgentId } })).toMatchObject({
        status: 404,
        body: { code: "NOT_FOUND", errors: [{ path: "power.ownAgentId" }] },
      });
    await theirs.close();
  });

  test("is for those to choose who manage agents: it would take down a machine that is not theirs", async () => {
    const ann = await addPerson(hub, await firstSite(hub), "user");
    const { body: device } = await addDevice({ ownerId: ann.id });
    const change = (power: object) => ann.api.patch(`/devices/${device.id}`, { power });
    expect(await change({ ownAgentId: pi.id })).toMatchObject({
      status: 403,
      body: { code: "FORBIDDEN", errors: [{ path: "power.ownAgentId" }] },
    });
    expect(await change({ ownAgentId: null, off: "hibernate" })).toMatchObject({
      status: 200,
      body: { powerSettings: { off: "hibernate" } },
    });
  });

  test("is no way to take down somebody else's machine by entering the MAC address of its agent", async () => {
    const { body: nas } = await addDevice();
    await own.runsOn(nas);
    await hub.api.delete(`/devices/${nas.id}`);
    const ann = await addPerson(hub, await firstSite(hub), "user");
    const about = { name: freshName("Mine"), mac: freshMac(), clusterId };
    const refused = { status: 403, body: { code: "FORBIDDEN", errors: [{ path: "mac" }] } };
    expect(await ann.api.post("/devices", { ...about, mac: nas.mac })).toMatchObject(refused);
    const { body: mine } = await ann.api.post("/devices", about);
    expect(await ann.api.patch(`/devices/${mine.id}`, { mac: nas.mac })).toMatchObject(refused);
    // who manages agents may, and from then on its owner may change what else there is
    expect(await hub.api.patch(`/devices/${mine.id}`, { mac: nas.mac })).toMatchObject({ status: 200 });
    const changed = await ann.api.patch(`/devices/${mine.id}`, { mac: nas.mac, power: { off: "sleep" } });
    expect(changed).toMatchObject({ status: 200, body: { powerSettings: { off: "sleep" } } });
  });

  test("that is removed is chosen no more", async () => {
    const gone = await startScriptedAgent(hub, { name: "Gone", clusterId });
    const { body: device } = await addDevice({ power: { ownAgentId: gone.id } });
    await hub.api.delete(`/agents/${gone.id}`);
    expect((await hub.api.get(`/devices/${device.id}`)).body.powerSettings.ownAgentId).toBeNull();
    await gone.close();
  });
});
