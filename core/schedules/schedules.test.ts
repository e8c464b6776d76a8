import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { BEHIND_PROXY, type Person, addPerson, addSite, addToken, firstSite } from "#test/fixtures/people.ts";
import { createApi } from "#test/fixtures/api.ts";
import { type ScriptedAgent, freshMac, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

let hub: TestHub;
let agent: ScriptedAgent;
let user: Person;
let viewer: Person;

const DAILY = { type: "cron", cron: "0 7 * * *", timeZone: "Europe/Athens" };
const NOBODY = "00000000-0000-4000-8000-000000000000";

beforeAll(async () => {
  hub = await startTestHub(BEHIND_PROXY);
  agent = await startScriptedAgent(hub);
  user = await addPerson(hub, await firstSite(hub), "user");
  viewer = await addPerson(hub, await firstSite(hub), "viewer");
}, 120_000);

afterAll(async () => {
  await agent.close();
  await hub.close();
});

async function addDevice(name: string, fields: object = {}) {
  return (await hub.api.post("/devices", { name, mac: freshMac(), ...fields })).body;
}

/** Due so soon that the hub's own timer fires it while the test looks. */
function inAMoment() {
  return { type: "once", at: new Date(Date.now() + 400).toISOString() };
}

async function runOf(id: string) {
  await expect.poll(async () => (await hub.api.get(`/schedules/${id}/runs`)).body.total, { timeout: 15_000 }).toBe(1);
  return async () => (await hub.api.get(`/schedules/${id}/runs`)).body.items[0];
}

describe("a schedule", () => {
  test("is made, read, changed and deleted, with its next firings explained", async () => {
    const device = await addDevice("Office");
    const made = await hub.api.post("/schedules", {
      name: "Büro früh",
      action: "wake",
      when: DAILY,
      deviceIds: [device.id],
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      key: "buero-frueh",
      enabled: true,
      jitterSeconds: 0,
      catchUpMinutes: 15,
      lastRun: null,
    });
    const { firings } = (await hub.api.get(`/schedules/${made.body.id}/next`)).body;
    expect(firings).toHaveLength(20);
    expect(firings[0].at).toBe(made.body.nextAt);
    expect(firings[0].explanation).toContain("07:00 in Athens (UTC+");
    const changed = await hub.api.patch(`/schedules/${made.body.id}`, {
      name: "Later",
      jitterSeconds: 60,
      description: null,
    });
    expect(changed.body).toMatchObject({ name: "Later", key: "buero-frueh", jitterSeconds: 60 });
    expect((await hub.api.get(`/schedules?device=${device.key}`)).body.total).toBe(1);
    expect((await hub.api.get("/schedules?q=later")).body.items[0].id).toBe(made.body.id);
    expect((await hub.api.delete(`/schedules/${made.body.id}`)).status).toBe(204);
    expect((await hub.api.get(`/schedules/${made.body.id}`)).status).toBe(404);
  });

  test("leaves its next firing out on request, and not while it is disabled", async () => {
    const { body } = await hub.api.post("/schedules", { name: "Skipping", action: "wake", when: DAILY });
    const skipped = await hub.api.post(`/schedules/${body.id}/skip`, { skip: true });
    expect(skipped.body.skipNext).toBe(true);
    const { firings } = (await hub.api.get(`/schedules/${body.id}/next`)).body;
    expect(firings.map(({ skipped }: { skipped: boolean }) => skipped).slice(0, 2)).toEqual([true, false]);
    const disabled = await hub.api.patch(`/schedules/${body.id}`, { enabled: false });
    expect(disabled.body).toMatchObject({ nextAt: null, skipNext: false });
    expect((await hub.api.post(`/schedules/${body.id}/skip`, { skip: true })).body.code).toBe("CONFLICT");
  });

  test.each<[string, object, string, string]>([
    ["a cron expression of three fields", { when: { ...DAILY, cron: "0 7 * * * 3 4" } }, "when.cron", "INVALID_INPUT"],
    ["minute 61", { when: { ...DAILY, cron: "61 * * * *" } }, "when.cron", "INVALID_INPUT"],
    ["a zone on no map", { when: { ...DAILY, timeZone: "Europe/Atlantis" } }, "when.timeZone", "INVALID_INPUT"],
    ["an instant that is past", { when: { type: "once", at: "2020-01-01T00:00:00Z" } }, "when.at", "INVALID_INPUT"],
    [
      "a sun that never sets",
      { when: { type: "sun", event: "sunset", place: { latitude: 90, longitude: 0 }, timeZone: "UTC" } },
      "when.place",
      "INVALID_INPUT",
    ],
    ["a device that is not there", { deviceIds: [NOBODY] }, "deviceIds.0", "NOT_FOUND"],
    ["a cluster that is not there", { clusterIds: [NOBODY] }, "clusterIds.0", "NOT_FOUND"],
    ["too long a jitter", { jitterSeconds: 3_601 }, "jitterSeconds", "INVALID_INPUT"],
    ["an unknown field", { color: "red" }, "color", "INVALID_INPUT"],
    ["an owner who is nobody", { ownerId: NOBODY }, "ownerId", "INVALID_INPUT"],
  ])("is refused with %s, naming the field", async (_, fields, path, code) => {
    const { body } = await hub.api.post("/schedules", { name: "Wrong", action: "wake", when: DAILY, ...fields });
    expect(body.code).toBe(code);
    expect(JSON.stringify(body.errors)).toContain(path);
  });

  test("is looked at before it is one", async () => {
    const preview = await hub.api.post("/schedules/preview", { when: DAILY, jitterSeconds: 90 });
    expect(preview.body.firings).toHaveLength(20);
    expect(preview.body.firings[0].explanation).toMatch(/; up to 90 s later$/);
    const wrong = await hub.api.post("/schedules/preview", { when: { ...DAILY, cron: "0 25 * * *" } });
    expect(wrong.body.errors[0]).toMatchObject({ path: "when.cron" });
  });
});

describe("who may", () => {
  test("make one needs the right to all that it does, device by device", async () => {
    const [mine, theirs] = [await addDevice("Mine", { ownerId: user.id }), await addDevice("Theirs")];
    const cluster = (await hub.api.post("/clusters", { name: "Foreign" })).body;
    const fields = { name: "Of a user", action: "wake", when: DAILY };
    const own = await user.api.post("/schedules", { ...fields, deviceIds: [mine.id] });
    expect(own.status).toBe(201);
    const refused = await user.api.post("/schedules", { ...fields, deviceIds: [mine.id, theirs.id] });
    expect(refused.body).toMatchObject({ code: "FORBIDDEN", errors: [{ path: "deviceIds.1" }] });
    expect(refused.body.detail).toContain("Theirs");
    const whole = await user.api.post("/schedules", { ...fields, clusterIds: [cluster.id] });
    expect(whole.body).toMatchObject({ code: "FORBIDDEN", errors: [{ path: "clusterIds.0" }] });
    const later = await user.api.patch(`/schedules/${own.body.id}`, { deviceIds: [theirs.id] });
    expect(later.body).toMatchObject({ code: "FORBIDDEN", errors: [{ path: "deviceIds.0" }] });
    expect((await user.api.patch(`/schedules/${own.body.id}`, { ownerId: null })).body.code).toBe("FORBIDDEN");
    const token = await addToken(user.api, ["device:wake", "schedule:create", "schedule:read"]);
    const off = await createApi(hub.url, token.token).post("/schedules", {
      ...fields,
      action: "off",
      deviceIds: [mine.id],
    });
    expect(off.body).toMatchObject({ code: "FORBIDDEN", errors: [{ path: "deviceIds.0" }] });
  });

  test("change one is its owner, or an administrator; viewers look, and other sites see nothing", async () => {
    const { body } = await hub.api.post("/schedules", { name: "Of the admin", action: "wake", when: DAILY });
    expect((await user.api.patch(`/schedules/${body.id}`, { enabled: false })).body.code).toBe("FORBIDDEN");
    expect((await user.api.post(`/schedules/${body.id}/skip`, { skip: true })).body.code).toBe("FORBIDDEN");
    expect((await viewer.api.get(`/schedules/${body.id}`)).body).toMatchObject({ id: body.id, ownerId: null });
    expect((await viewer.api.post("/schedules", { name: "No", action: "wake", when: DAILY })).status).toBe(403);
    const away = await addSite(hub);
    expect((await away.api.get(`/schedules/${body.id}`)).status).toBe(404);
    expect((await away.api.get("/schedules")).body.total).toBe(0);
    const device = await addDevice("At home");
    const across = await away.api.post("/schedules", {
      name: "Across",
      action: "wake",
      when: DAILY,
      deviceIds: [device.id],
    });
    expect(across.body.code).toBe("NOT_FOUND");
  });
});

test("the page hears that schedules or leases changed", async () => {
  const device = await addDevice("Told live");
  const ending = new AbortController();
  const headers = { authorization: `Bearer ${hub.api.token}` };
  const { body } = await fetch(`${hub.url}/api/events`, { headers, signal: ending.signal });
  const words = body?.pipeThrough(new TextDecoderStream()).getReader();
  const heard = async (word: string) => {
    let text = "";
    while (!text.includes(word)) text += (await words?.read())?.value ?? "";
    return text;
  };
  await heard("event: snapshot");
  await hub.api.post("/schedules", { name: "Told", action: "wake", when: DAILY });
  expect(await heard("event: schedules")).toContain("data:");
  await hub.api.post(`/devices/${device.id}/leases`, { wake: false });
  expect(await heard("event: schedules")).toContain("data:");
  ending.abort();
});

test("when an account is deleted its schedules are the heir's, or disabled", async () => {
  const site = await firstSite(hub);
  const [leaver, heir] = [await addPerson(hub, site, "user"), await addPerson(hub, site, "user")];
  const another = await addPerson(hub, site, "user");
  const fields = { action: "wake", when: DAILY };
  const inherited = (await leaver.api.post("/schedules", { ...fields, name: "Inherited" })).body;
  const left = (await another.api.post("/schedules", { ...fields, name: "Left" })).body;
  await hub.api.delete(`/users/${leaver.id}?heir=${heir.id}`);
  await hub.api.delete(`/users/${another.id}`);
  expect((await hub.api.get(`/schedules/${inherited.id}`)).body).toMatchObject({ ownerId: heir.id, enabled: true });
  expect((await hub.api.get(`/schedules/${left.id}`)).body).toMatchObject({ ownerId: null, enabled: false });
  await hub.api.patch(`/schedules/${left.id}`, { description: "as the row has it" });
  expect((await hub.api.get(`/schedules/${left.id}`)).body).toMatchObject({ ownerId: null, enabled: false });
});

describe("at its time", () => {
  test("a schedule wakes its devices, and its history tells how that ended", async () => {
    const device = await addDevice("Due");
    const disabled = await addDevice("Out of use", { enabled: false });
    const deviceIds = [device.id, disabled.id];
    const { body } = await hub.api.post("/schedules", { name: "Soon", action: "wake", when: inAMoment(), deviceIds });
    await expect
      .poll(() => agent.orders().some((order) => order.targets[0]?.device === device.key), { timeout: 15_000 })
      .toBe(true);
    const run = await runOf(body.id);
    expect(await run()).toMatchObject({ outcome: "ran", code: null, dueAt: body.nextAt });
    const order = agent.orders().find(({ targets }) => targets[0]?.device === device.key);
    if (order) await agent.answers(order, "sent");
    await agent.sees({ [device.key]: true });
    await expect.poll(async () => (await run()).because, { timeout: 15_000 }).toContain(`${device.key}: awake`);
    expect((await run()).devices).toContainEqual(
      expect.objectContaining({ device: disabled.key, stage: "refused", code: "DEVICE_DISABLED" }),
    );
    expect((await hub.api.get(`/devices/${device.id}/wakes`)).body.items[0].requestedBy).toBe("schedule:soon");
    const { body: after } = await hub.api.get(`/schedules/${body.id}`);
    expect(after).toMatchObject({ nextAt: null, lastRun: { outcome: "ran" } });
    const audit = (await hub.api.get("/audit?actor=schedule")).body.items;
    expect(audit[0]).toMatchObject({ action: "device.wake", actor: { name: "soon" } });
  });

  test("one whose owner lost the right is skipped, and so is one that has nothing to do", async () => {
    const device = await addDevice("Lost", { ownerId: user.id });
    const fields = { action: "wake", deviceIds: [device.id] };
    const made = await user.api.post("/schedules", { ...fields, name: "Without rights", when: inAMoment() });
    await hub.api.patch(`/devices/${device.id}`, { ownerId: null });
    expect(await (await runOf(made.body.id))()).toMatchObject({ outcome: "skipped", code: "FORBIDDEN" });
    const on = await addDevice("Up");
    await agent.sees({ [on.key]: true });
    await expect.poll(async () => (await hub.api.get(`/devices/${on.id}`)).body.power).toBe("on");
    const idle = await hub.api.post("/schedules", {
      name: "Idle",
      action: "wake",
      deviceIds: [on.id],
      when: inAMoment(),
    });
    expect(await (await runOf(idle.body.id))()).toMatchObject({ outcome: "skipped", code: "NOTHING_TO_DO" });
  });

  test("one that is skipped is not carried out, and the next one is", async () => {
    const device = await addDevice("Skipped");
    const when = { type: "cron", cron: "* * * * *", timeZone: "UTC" };
    const soon = await hub.api.post("/schedules", {
      name: "Left out",
      action: "wake",
      deviceIds: [device.id],
      when: inAMoment(),
    });
    await hub.api.post(`/schedules/${soon.body.id}/skip`, { skip: true });
    expect(await (await runOf(soon.body.id))()).toMatchObject({ outcome: "skipped", code: "SKIP_NEXT", devices: [] });
    const { body } = await hub.api.patch(`/schedules/${soon.body.id}`, { when });
    expect(body).toMatchObject({ skipNext: false });
    expect(agent.orders().some((order) => order.targets[0]?.device === device.key)).toBe(false);
  });

  test("everybody hears of it by MQTT, and a deleted one leaves no topic behind", async () => {
    const { body: ha } = await hub.api.post("/mqtt-clients", { name: "Listener", permissions: ["read"] });
    const listener = await hub.connect({ username: ha.username, password: ha.password, protocolVersion: 5 }, [
      "powerbeacon/#",
    ]);
    const { body } = await hub.api.post("/schedules", { name: "Heard", action: "wake", when: inAMoment() });
    await expect.poll(() => listener.last("powerbeacon/schedule/heard/state")).toBe("ON");
    await runOf(body.id);
    const skipped = () => listener.on(/^powerbeacon\/event$/).map(({ text }) => JSON.parse(text));
    await expect
      .poll(skipped)
      .toContainEqual(expect.objectContaining({ event_type: "schedule_skipped", by: "schedule:heard" }));
    await expect
      .poll(() => listener.lastJson("powerbeacon/schedule/heard/info"))
      .toMatchObject({ nextAt: null, lastRun: { outcome: "skipped" } });
    await hub.api.delete(`/schedules/${body.id}`);
    await expect.poll(() => listener.last("powerbeacon/schedule/heard/state")).toBe("");
    await listener.close();
  });
});
