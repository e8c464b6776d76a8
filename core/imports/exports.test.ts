import { parse } from "yaml";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { BEHIND_PROXY, type TestSite, addPerson, addSite } from "#test/fixtures/people.ts";

let hub: TestHub;
let home: TestSite;
let copy: TestSite;

/** A device with everything that is hard to write down. */
const HARD = {
  name: '=HYPERLINK("http://x","NAS, big; one")',
  mac: "02:00:00:00:00:01",
  address: "192.168.4.20",
  os: "linux",
  enabled: false,
  showInHomeAssistant: false,
  description: "-1\n'@two' \"lines\"\tand a tab",
  tags: ["+a", "b, c", "d\\e", "'=f", "ü"],
  secureOn: "01:02:03:04:05:06",
  wake: { addresses: ["192.168.7.255", "fd00::1"], ports: [7], windowSeconds: 60 },
  watch: { icmp: false, arp: false, tcpPorts: [22, 445], intervalSeconds: 30 },
};
const PLAIN = { name: "'s PC", mac: "02:00:00:00:00:02" };

beforeAll(async () => {
  hub = await startTestHub(BEHIND_PROXY);
  [home, copy] = [await addSite(hub), await addSite(hub)];
  const clusterId = (await home.api.post("/clusters", { name: "Lab", key: "lab" })).body.id;
  await copy.api.post("/clusters", { name: "Lab" });
  for (const device of [{ ...HARD, clusterId }, PLAIN]) await home.api.post("/devices", device);
});

afterAll(() => hub.close());

async function file(format: string, api = home.api): Promise<{ text: string; headers: Headers }> {
  const { status, body, headers } = await api.get(`/exports/devices?format=${format}`);
  expect(status).toBe(200);
  const text = typeof body === "string" ? body : JSON.stringify(body);
  expect(text).not.toMatch(/01.02.03.04.05.06/);
  return { text, headers };
}

const preview = async (format: string, text: string, api = home.api) =>
  (await api.post("/imports/preview", { format, text })).body.items;

test("CSV changes nothing when it comes back", async () => {
  const { text, headers } = await file("csv");
  expect(headers.get("content-disposition")).toBe('attachment; filename="powerbeacon-devices.csv"');
  expect(headers.get("content-type")).toContain("text/csv");
  expect(await preview("csv", text)).toMatchObject([
    { action: "unchanged", mac: HARD.mac },
    { action: "unchanged", mac: PLAIN.mac },
  ]);
});

test("CSV makes the same devices elsewhere, but for passwords and owners", async () => {
  const { text } = await file("csv");
  const chosen = (await preview("csv", text, copy.api)).map(({ mac, version }: { mac: string; version: string }) => ({
    mac,
    version,
  }));
  const { body } = await copy.api.post("/imports", { format: "csv", text, chosen });
  expect(body.items).toMatchObject([{ outcome: "created" }, { outcome: "created" }]);
  const [plain, hard] = (await copy.api.get("/devices")).body.items; // by name
  const { secureOn: _, ...rest } = HARD;
  expect(hard).toMatchObject({ ...rest, secureOnSet: false });
  expect(plain).toMatchObject(PLAIN);
});

test("no cell of CSV is a formula to a spreadsheet", async () => {
  const { text } = await file("csv");
  expect(text).toContain(`"'=HYPERLINK(""http://x"",""NAS, big; one"")"`);
  const cells = text.match(/(?<=^|,)(?:"(?:[^"]|"")*"|[^",\r\n]*)/gm) ?? [];
  expect(cells.length).toBeGreaterThan(40);
  expect(cells.filter((cell) => /^"?[=+\-@\t\r]/.test(cell))).toEqual([]);
});

test("Home Assistant's YAML is what Home Assistant reads", async () => {
  const { text, headers } = await file("home-assistant");
  expect(headers.get("content-disposition")).toContain('filename="powerbeacon-devices.yaml"');
  expect(parse(text)).toEqual({
    switch: [
      {
        platform: "wake_on_lan",
        name: HARD.name,
        mac: HARD.mac,
        host: HARD.address,
        broadcast_address: "192.168.7.255",
        broadcast_port: 7,
      },
      { platform: "wake_on_lan", ...PLAIN },
    ],
  });
  expect(await preview("home-assistant", text)).toMatchObject([
    { action: "change", differences: [{ field: "wake.addresses", to: "192.168.7.255" }] }, // it knows only one
    { action: "unchanged" },
  ]);
});

test("UpSnap's list has its netmask, ports and groups, and comes back as it went", async () => {
  const { text } = await file("upsnap");
  expect(JSON.parse(text)).toMatchObject({
    totalItems: 2,
    items: [
      {
        name: HARD.name,
        ip: HARD.address,
        mac: HARD.mac,
        netmask: "255.255.252.0",
        expand: { ports: [{ number: 22 }, { number: 445 }], groups: HARD.tags.map((name) => ({ name })) },
      },
      { name: PLAIN.name, ip: "", mac: PLAIN.mac, netmask: "255.255.255.0" },
    ],
  });
  expect(await preview("upsnap", text)).toMatchObject([
    { action: "change", differences: [{ field: "wake.addresses", to: "192.168.7.255" }] },
    { action: "unchanged" },
  ]);
});

test("ethers has an address or a name for each", async () => {
  const { text, headers } = await file("ethers");
  expect(headers.get("content-disposition")).toBe('attachment; filename="ethers"');
  expect(text.split("\n").toSorted()).toEqual(["", `${HARD.mac} ${HARD.address}`, `${PLAIN.mac} s-pc`]);
});

test("whoever may not see agents gets no column of them", async () => {
  const viewer = await addPerson(hub, home, "viewer");
  const columns = async (api: typeof home.api) => (await file("csv", api)).text.split("\r\n")[0]?.split(",");
  expect(await columns(home.api)).toContain("agents");
  expect(await columns(viewer.api)).not.toContain("agents");
  expect((await viewer.api.post("/imports/preview", { format: "ethers", text: "" })).status).toBe(403);
});

test("an empty site has files, too", async () => {
  const { api } = await addSite(hub);
  expect((await file("csv", api)).text).toMatch(/^name,mac,key,[^\n]*\r\n$/);
  expect(parse((await file("home-assistant", api)).text)).toEqual({ switch: [] });
  for (const format of ["csv", "home-assistant", "upsnap", "ethers"])
    expect(await preview(format, (await file(format, api)).text)).toEqual([]);
});
