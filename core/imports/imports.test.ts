import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MAX_IMPORT_BYTES } from "#contracts/api/imports.ts";
import type { Api } from "#test/fixtures/api.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { BEHIND_PROXY, type TestSite, addPerson, addSite, firstSite } from "#test/fixtures/people.ts";
import { freshMac, freshName, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";

let hub: TestHub;
let home: TestSite;

beforeAll(async () => {
  hub = await startTestHub(BEHIND_PROXY);
  home = await firstSite(hub);
});

afterAll(() => hub.close());

interface Source {
  readonly format: string;
  readonly text: string;
  readonly clusterId?: string;
}

async function preview(source: Source, api: Api = hub.api) {
  const { status, body } = await api.post("/imports/preview", source);
  expect({ status, body }).toMatchObject({ status: 200 });
  return body;
}

/** Applies everything that the preview offers. */
async function importAll(source: Source, api: Api = hub.api) {
  const { items } = await preview(source, api);
  const chosen = items.flatMap(({ mac, version }: { mac: string; version?: string }) =>
    version ? [{ mac, version }] : [],
  );
  const { status, body } = await api.post("/imports", { ...source, chosen });
  expect({ status, body }).toMatchObject({ status: 200 });
  return body.items;
}

const ethers = (mac: string, host = "nas.lan"): Source => ({ format: "ethers", text: `${mac} ${host}\n` });
const csv = (...lines: string[]): Source => ({ format: "csv", text: lines.join("\n") });

async function deviceWith(mac: string, api: Api = hub.api) {
  return (await api.get(`/devices?q=${mac}`)).body.items[0];
}

async function addDevice(fields: object = {}) {
  const { status, body } = await hub.api.post("/devices", { name: freshName("Box"), mac: freshMac(), ...fields });
  expect({ status, body }).toMatchObject({ status: 201 });
  return body;
}

describe("a preview", () => {
  test("tells what would be made, and makes nothing", async () => {
    const mac = freshMac();
    const { items, notes } = await preview({ format: "ethers", text: `# machines\n${mac} nas.lan` });
    expect(notes).toEqual([]);
    expect(items).toEqual([
      {
        action: "create",
        line: 2,
        mac,
        name: "nas.lan",
        notes: [],
        differences: [
          { field: "name", from: null, to: "nas.lan" },
          { field: "mac", from: null, to: mac },
          { field: "address", from: null, to: "nas.lan" },
        ],
        version: expect.stringMatching(/^[\w-]{22}$/),
      },
    ]);
    expect(await deviceWith(mac)).toBeUndefined();
  });

  test("tells field by field what would be another than it is, and nothing of what the text does not say", async () => {
    const device = await addDevice({ name: "Old", address: "10.0.0.5", tags: ["a"], wake: { ports: [9] } });
    const { items } = await preview(
      csv("mac,name,address,tags,wake.ports,watch.icmp,description", `${device.mac},New,,"a, b",9,no,"x\ny"`),
    );
    expect(items).toMatchObject([
      {
        action: "change",
        name: "New",
        device: { id: device.id, key: device.key, name: "Old" },
        differences: [
          { field: "name", from: "Old", to: "New" },
          { field: "address", from: "10.0.0.5", to: null },
          { field: "description", from: null, to: "x\ny" },
          { field: "tags", from: "a", to: "a, b" },
          { field: "watch.icmp", from: "true", to: "false" },
        ],
      },
    ]);
  });

  test("leaves names and descriptions of what exists alone where a list only suggests them", async () => {
    const device = await addDevice({ name: "NAS", address: "nas.lan" });
    expect((await preview(ethers(device.mac))).items).toMatchObject([{ action: "unchanged", device: { name: "NAS" } }]);
  });

  test("says what cannot be, with its line, in the words of the API", async () => {
    const [mac, twice] = [freshMac(), freshMac()];
    const { items } = await preview(
      csv(
        "mac,name,enabled,cluster",
        "nonsense,A,,",
        `${mac},B,maybe,`,
        `${twice},C,,`,
        `${twice},D,,`,
        `${freshMac()},E,,nowhere`,
      ),
    );
    expect(items.filter(({ action }: { action: string }) => action === "impossible")).toMatchObject([
      { line: 2, mac: "nonsense", name: "A", problem: expect.stringContaining("is not a MAC address") },
      { line: 3, mac, name: "B", problem: "Its enabled “maybe” must be true or false." },
      { line: 5, mac: twice, name: "D", problem: "Line 4 has this MAC address already." },
      { line: 6, name: "E", problem: "There is no cluster “nowhere”." },
    ]);
  });

  test("puts new devices where it is told, unless they say where they go", async () => {
    const lab = (await hub.api.post("/clusters", { name: freshName("Lab") })).body;
    const attic = (await hub.api.post("/clusters", { name: freshName("Attic") })).body;
    const old = await addDevice();
    const source = { ...csv("mac,name", `${freshMac()},A`, `${old.mac},${old.name}`), clusterId: lab.id };
    expect((await preview(source)).items).toMatchObject([
      { action: "create", differences: expect.arrayContaining([{ field: "cluster", from: null, to: lab.key }]) },
      { action: "unchanged" },
    ]);
    const own = { ...csv("mac,cluster", `${freshMac()},${attic.name.toUpperCase()}`), clusterId: lab.id };
    const [item] = (await preview(own)).items;
    expect(item.differences).toContainEqual({ field: "cluster", from: null, to: attic.key });
    const { status, body } = await hub.api.post("/imports/preview", { ...source, clusterId: old.id });
    expect({ status, field: body.errors[0].path }).toEqual({ status: 404, field: "clusterId" });
  });

  test("asks for agents of the cluster of the device", async () => {
    const lab = (await hub.api.post("/clusters", { name: freshName("Lab") })).body;
    const agent = await startScriptedAgent(hub, { name: freshName("Pi"), clusterId: lab.id });
    const mac = freshMac();
    const problemOf = async (cluster: string, agents: string) =>
      (await preview(csv("mac,cluster,agents", `${mac},${cluster},${agents}`))).items[0].problem;
    expect(await problemOf("", agent.key)).toMatch(/is not in the cluster of the device/);
    expect(await problemOf(lab.key, "nobody")).toBe("There is no agent “nobody”.");
    expect(await problemOf(lab.key, agent.key)).toBeUndefined();
    expect(await importAll(csv("mac,cluster,agents", `${mac},${lab.key},${agent.key}`))).toMatchObject([
      { outcome: "created" },
    ]);
    const made = await deviceWith(mac);
    expect(made).toMatchObject({ clusterId: lab.id, agentIds: [agent.id] });
    const twice = csv("mac,agents", `${mac},"${agent.key}, ${agent.key}"`);
    expect((await preview(twice)).items).toMatchObject([{ action: "unchanged" }]);
    const moving = csv("mac,cluster", `${mac},`);
    expect((await preview(moving)).items).toMatchObject([{ notes: ["Its links to agents of the old cluster go."] }]);
    expect(await importAll(moving)).toMatchObject([{ outcome: "changed" }]);
    expect(await deviceWith(mac)).toMatchObject({ clusterId: null, agentIds: [] });
    await agent.close();
  });
});

describe("an import", () => {
  test("does what was chosen, and nothing else; once more it finds everything done", async () => {
    const [chosenMac, otherMac] = [freshMac(), freshMac()];
    const old = await addDevice({ name: "Old" });
    const source = csv("mac,name", `${chosenMac},A`, `${otherMac},B`, `${old.mac},New`);
    const { items } = await preview(source);
    const chosen = [items[0], items[2]].map(({ mac, version }) => ({ mac, version }));
    const first = (await hub.api.post("/imports", { ...source, chosen })).body.items;
    expect(first).toMatchObject([
      { mac: chosenMac, outcome: "created", device: { name: "A" }, reason: null },
      { mac: old.mac, outcome: "changed", device: { id: old.id, key: old.key, name: "New" }, reason: null },
    ]);
    expect(await deviceWith(otherMac)).toBeUndefined();
    expect(await deviceWith(chosenMac)).toMatchObject({ id: first[0].device.id, name: "A", key: first[0].device.key });
    const again = (await hub.api.post("/imports", { ...source, chosen })).body.items;
    expect(again).toMatchObject([
      { outcome: "unchanged", device: first[0].device },
      { outcome: "unchanged", device: first[1].device },
    ]);
  });

  test("does not do what is another change by now, and says so", async () => {
    const [old, fresh] = [await addDevice({ name: "Old", address: "10.0.0.1" }), freshMac()];
    const source = csv("mac,name", `${old.mac},New`, `${fresh},Fresh`);
    const chosen = (await preview(source)).items.map(({ mac, version }: { mac: string; version: string }) => ({
      mac,
      version,
    }));
    await hub.api.patch(`/devices/${old.id}`, { name: "Renamed meanwhile" });
    const { body } = await hub.api.post("/imports", {
      ...source,
      chosen: [...chosen, { mac: freshMac(), version: "x" }],
    });
    expect(body.items).toMatchObject([
      { outcome: "conflict", device: null, reason: expect.stringContaining("another change") },
      { outcome: "created", device: { name: "Fresh" } },
      { outcome: "conflict", reason: "The text names no such device." },
    ]);
    expect(await deviceWith(old.mac)).toMatchObject({ name: "Renamed meanwhile" });
  });

  test("leaves a row in the audit log for each device", async () => {
    const [mac, old] = [freshMac(), await addDevice()];
    await importAll(csv("mac,name,address", `${mac},Audited,`, `${old.mac},${old.name},10.9.9.9`));
    const made = await deviceWith(mac);
    const { items } = (await hub.api.get("/audit?limit=2")).body;
    expect(items.map(({ action, target, details }: Record<string, unknown>) => ({ action, target, details }))).toEqual([
      {
        action: "device.change",
        target: { type: "device", id: old.id, name: old.key },
        details: { fields: ["address"], imported: "csv" },
      },
      {
        action: "device.create",
        target: { type: "device", id: made.id, name: made.key },
        details: { mac, imported: "csv" },
      },
    ]);
  });

  test("gives keys that are free, also among those of one text", async () => {
    const key = freshName("key")
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-");
    const [one, two, three] = [freshMac(), freshMac(), freshMac()];
    const made = await importAll(csv("mac,name,key", `${one},${key},`, `${two},${key},`, `${three},C,${key}-kept`));
    expect(made.map(({ device }: { device: { key: string } }) => device.key)).toEqual([key, `${key}-2`, `${key}-kept`]);
    const [item] = (await preview(csv("mac,key", `${freshMac()},${key}`))).items;
    expect(item.notes).toEqual([`The key “${key}” is taken, so it gets another one.`]);
  });

  test("of hundreds of devices is one transaction; two thousand is the most", async () => {
    const site = await addSite(hub);
    const macOf = (index: number) =>
      `06:00:00:00:${(index >> 8).toString(16).padStart(2, "0")}:${(index & 255).toString(16).padStart(2, "0")}`;
    const lines = Array.from({ length: 2_001 }, (_, index) => `${macOf(index)} host-${index}`);
    const made = await importAll({ format: "ethers", text: lines.slice(0, 500).join("\n") }, site.api);
    expect(new Set(made.map(({ outcome }: { outcome: string }) => outcome))).toEqual(new Set(["created"]));
    expect((await site.api.get("/devices?limit=1")).body.total).toBe(500);
    const { status, body } = await site.api.post("/imports/preview", {
      format: "ethers",
      text: lines.join("\n"),
    });
    expect({ status, errors: body.errors }).toEqual({
      status: 422,
      errors: [{ path: "text", message: "holds more than 2000 devices" }],
    });
  }, 60_000);
});

describe("somebody who imports", () => {
  test("changes what is theirs, and is told of what is not", async () => {
    const user = await addPerson(hub, home, "user");
    const [others, own] = [await addDevice({ name: "Theirs" }), freshMac()];
    await importAll(ethers(own), user.api);
    expect(await deviceWith(own)).toMatchObject({ ownerId: user.id });
    const source = csv("mac,address", `${own},10.0.0.7`, `${others.mac},10.0.0.8`, `${freshMac()},127.0.0.1`);
    expect((await preview(source, user.api)).items).toMatchObject([
      { action: "change" },
      { action: "impossible", name: "Theirs", problem: "It belongs to somebody else, so you may not change it." },
      { action: "impossible", problem: "Only administrators enter a loopback address." },
    ]);
    // what an administrator was shown is no way round that
    const chosen = (await preview(source)).items.map(({ mac, version }: { mac: string; version: string }) => ({
      mac,
      version,
    }));
    const { body } = await user.api.post("/imports", { ...source, chosen });
    expect(body.items.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      "changed",
      "impossible",
      "impossible",
    ]);
    expect(await deviceWith(others.mac)).toMatchObject({ address: null });
  });

  test("never reaches into another site", async () => {
    const [device, away] = [await addDevice({ name: "Here" }), await addSite(hub)];
    expect(await importAll(csv("mac,name,key", `${device.mac},There,${device.key}`), away.api)).toMatchObject([
      { outcome: "created" },
    ]);
    expect(await deviceWith(device.mac)).toMatchObject({ id: device.id, name: "Here" });
    expect(await deviceWith(device.mac, away.api)).toMatchObject({ name: "There" });
  });
});

describe("texts that mean no good", () => {
  test.each<[format: string, what: string, text: string]>([
    ["csv", "half characters", "mac,name\n\ud800,\u202e\n"],
    ["home-assistant", "deep lists", "[".repeat(30_000)],
    ["home-assistant", "aliases", "switch: &a [*a, {<<: *a, platform: wake_on_lan, mac: *a}]"],
    ["upsnap", "odd types", '{"items":[{"mac":{"toString":1},"__proto__":{"mac":"02:00:00:00:00:01"}}]}'],
    ["ethers", "no characters", "\0".repeat(1_000)],
    ["dhcpd", "open braces", "lease 192.168.1.20 {".repeat(20_000)],
  ])("of %s are answered: %s", async (format, _what, text) => {
    for (const { action } of (await preview({ format, text })).items) expect(action).toBe("impossible");
  });

  test("are refused where they are too large", async () => {
    const post = (text: string) => hub.api.post("/imports/preview", { format: "ethers", text });
    expect((await post("#".repeat(MAX_IMPORT_BYTES))).status).toBe(200);
    const { status, body } = await post("ü".repeat(MAX_IMPORT_BYTES / 2 + 1));
    expect({ status, errors: body.errors }).toEqual({
      status: 422,
      errors: [{ path: "text", message: "is larger than 512 KiB" }],
    });
    expect((await post("#".repeat(5 * 1024 * 1024))).status).toBe(413);
  });
});
