import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createApi } from "#test/fixtures/api.ts";
import { type WatchedPage, barriers, needsChromium, startBrowser, watchedPageOf } from "#test/fixtures/browser.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { connectMqtt } from "#test/fixtures/mqtt.ts";
import { BEHIND_PROXY, type Person, addPerson, firstSite } from "#test/fixtures/people.ts";

/** What whoever runs a hub does in its settings, and what everybody else is not even offered. */

let browser: Browser | undefined;
let hub: TestHub;
let watched: WatchedPage;
let page: Page;
const people: Partial<Record<"admin" | "user" | "viewer", Person>> = {};

beforeAll(async () => {
  hub = await startTestHub(BEHIND_PROXY);
  const { id: clusterId } = (await hub.api.post("/clusters", { name: "Home" })).body;
  await hub.startAgent({ name: "Pi", clusterId });
  for (const [name, octet] of [
    ["NAS", "01"],
    ["Gaming PC", "02"],
  ])
    await hub.api.post("/devices", { name, mac: `02:00:00:00:0d:${octet}`, clusterId });
  for (const role of ["admin", "user", "viewer"] as const)
    people[role] = await addPerson(hub, await firstSite(hub), role);
  browser = await startBrowser();
});

beforeEach((context) => needsChromium(context));

afterEach(() => watched.close());

afterAll(async () => {
  await browser?.close();
  await hub.close();
});

/** A browser in which somebody is logged in; the superuser unless somebody else is named. */
async function openAs(path: string, who?: Person): Promise<void> {
  watched = await watchedPageOf(browser, { url: hub.url, api: who ? createApi(hub.url, who.token) : hub.api }, path);
  ({ page } = watched);
}

const button = (name: string) => page.getByRole("button", { name, exact: true });
const dialog = (name: string) => page.getByRole("dialog", { name, exact: true });
const card = (name: string) => page.getByRole("article", { name, exact: true });
const sections = () => page.getByRole("navigation", { name: "Settings" }).getByRole("listitem").allInnerTexts();

test("an MQTT credential is made, lets a client in, shows it, and shuts it out when it is revoked", async () => {
  await openAs("/settings/mqtt-clients", people.admin);
  await page.getByText(/There are none yet/).waitFor();
  await button("Add").click();
  const form = dialog("Add an MQTT credential");
  await form.getByLabel("Name").fill("Home Assistant");
  expect(await barriers(page)).toEqual([]);
  await form.getByLabel("Clusters").selectOption("Only some");
  await button("Add credential").click();
  await form.getByText("Choose at least one.").waitFor();
  await form.getByLabel("Home", { exact: true }).check();
  await button("Add credential").click();

  const ready = dialog("Home Assistant can connect");
  const line = await ready.getByText(/^mosquitto_sub/).innerText();
  const [, host, port, username, password] =
    /^mosquitto_sub -h (\S+) -p (\d+) -u (\S+) -P (\S+) -t 'powerbeacon\/#' -v$/.exec(line) ?? [];
  expect(await barriers(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await button("I have copied it").click();
  await ready.waitFor({ state: "detached" });
  const row = card("Home Assistant");
  await row.getByText("Never connected").waitFor();
  expect(await page.getByText(password ?? "").count()).toBe(0);

  const login = { clientId: "ha-1", username: username ?? "", password: password ?? "", protocolVersion: 4 as const };
  const client = await connectMqtt(`mqtt://${host}:${port}`, login, ["powerbeacon/device/+/state"]);
  await row.getByText("Connected", { exact: true }).waitFor();
  await expect.poll(() => client.on(/\/state$/).length).toBe(2);
  for (const fact of ["127.0.0.1", "3.1.1", "ha-1", "Home"]) await row.getByText(fact, { exact: true }).waitFor();
  expect(await barriers(page)).toEqual([]);

  await button("Edit Home Assistant").click();
  await button("Revoke").click();
  await page.getByText(/Its open connections end at once/).waitFor();
  expect(await barriers(page)).toEqual([]);
  await button("Revoke").click();
  await page.getByText("Home Assistant is revoked").waitFor();
  await page.getByText(/There are none yet/).waitFor();
  await expect.poll(() => client.client.connected).toBe(false);
  await expect(connectMqtt(hub.mqttUrl, login)).rejects.toThrow();
  expect(watched.troubles).toEqual([]);
});

test("with one site nobody reads the word, wherever an admin goes", async () => {
  await openAs("/", people.admin);
  const read = () => page.getByText(/\bsites?\b/i).allInnerTexts();
  await card("NAS").waitFor();
  await page.goto("/clusters/home");
  await dialog("Edit Home").waitFor();
  expect(await read()).toEqual([]);
  for (const name of ["profile", "sessions", "tokens", "users", "mqtt-clients", "audit"]) {
    await page.goto(`/settings/${name}`);
    await page.locator("main h2").waitFor();
    await expect.poll(() => page.getByText("Loading…").count()).toBe(0);
    expect(await read()).toEqual([]);
  }
  expect(watched.troubles).toEqual([]);
});

test("a second site is made and switched to, and nothing of the first is there", async () => {
  await openAs("/settings/sites");
  await card("Default").waitFor();
  expect(await page.getByLabel("Site", { exact: true }).count()).toBe(0);
  await button("Add").click();
  await dialog("Add a site").getByLabel("Name").fill("Cabin");
  expect(await barriers(page)).toEqual([]);
  await button("Add site").click();
  await card("Cabin").waitFor();
  const switcher = page.getByLabel("Site", { exact: true });
  await switcher.waitFor();
  expect(await barriers(page)).toEqual([]);

  await switcher.selectOption("Cabin");
  await page.getByRole("heading", { name: "Wake your first machine" }).waitFor();
  for (const name of ["NAS", "Pi", "Home"]) expect(await page.getByText(name, { exact: true }).count()).toBe(0);
  await page.getByRole("listitem").getByRole("button", { name: "Add a device" }).click();
  await dialog("Add a device").getByLabel("Name", { exact: true }).fill("Heater");
  await dialog("Add a device").getByLabel("MAC address", { exact: true }).fill("02:00:00:00:0d:01"); // as the NAS has it
  await button("Add device").click();
  await card("Heater").waitFor();
  await page.goto("/settings/audit");
  await page.getByText("Heater").first().waitFor();
  expect(await page.getByText("NAS", { exact: true }).count()).toBe(0);

  await page.goto("/");
  await card("Heater").waitFor(); // the choice outlives a reload
  await switcher.selectOption("Default");
  await card("NAS").waitFor();
  expect(await card("Heater").count()).toBe(0);

  await page.goto("/settings/sites");
  await button("Edit Cabin").click();
  await page.getByText("It can be deleted once it is empty; it holds 1 device.").waitFor();
  await button("Cancel").click();
  await removeCabin();
  await page.reload();
  await button("Edit Cabin").click();
  await button("Delete site").click();
  await button("Delete").click();
  await card("Cabin").waitFor({ state: "detached" });
  await switcher.waitFor({ state: "detached" });
  expect(watched.troubles).toEqual([]);
});

/** Takes the device of the second site away. */
async function removeCabin(): Promise<void> {
  const headers = { "x-powerbeacon-site": "cabin" };
  const { items } = (await hub.api.get("/devices", headers)).body;
  const inCabin = createApi(hub.url, hub.api.token, headers);
  for (const { id } of items) await inCabin.delete(`/devices/${id}`);
}

test("the audit log shows what was done, finds it, and gives it as a file", async () => {
  await hub.api.post("/clusters", { name: "Attic" });
  await people.viewer?.api.post("/clusters", { name: "Not mine" });
  await openAs("/settings/audit", people.admin);
  const entries = page.getByRole("main").getByRole("listitem");
  await entries.filter({ hasText: "Add a cluster attic" }).waitFor();
  const refused = entries.filter({ hasText: "Refused" }).filter({ hasText: people.viewer?.username ?? "" });
  await refused.getByText(/^Ask for what is not allowed/).click();
  await refused.getByText(/FORBIDDEN/).waitFor();
  expect(await barriers(page)).toEqual([]);

  await page.getByLabel("Find").fill("attic");
  await page.getByText("1 entry").waitFor();
  await page.getByText("More filters").click();
  await page.getByLabel("Result").selectOption("Refused");
  await page.getByText("Nothing fits.").waitFor();
  await page.getByLabel("Result").selectOption("Done");
  await page.getByText("1 entry").waitFor();
  expect(await barriers(page)).toEqual([]);
  for (const [label, look] of [
    ["CSV", /cluster\.create.*,attic,/],
    ["JSON", /"attic"/],
  ] as const) {
    const download = page.waitForEvent("download");
    await button(`Export ${label}`).click();
    const file = readFileSync(await (await download).path(), "utf8");
    expect(file).toMatch(look);
    expect(file).not.toMatch(/device\.create/);
  }
  expect(watched.troubles).toEqual([]);
});

test("the settings for sign-on say at its field what the hub does not take, and keep the secret to themselves", async () => {
  await openAs("/settings/sign-on");
  await page.getByText(`${hub.url}/api/auth/callback`).waitFor();
  await button("Set up").click();
  const form = dialog("Set up sign-on");
  await form.getByLabel("Name", { exact: true }).fill("Authentik");
  await form.getByLabel("Issuer").fill("not an address");
  await form.getByLabel("Client identifier").fill("powerbeacon");
  await form.getByLabel("Client secret").fill("the secret");
  await form.getByLabel("On", { exact: true }).uncheck();
  await button("Save").click();
  await form.getByText(/is not an http/).waitFor();
  expect(await barriers(page)).toEqual([]);
  await form.getByLabel("Issuer").fill("https://auth.example.org/");
  await button("Save").click();
  await card("Authentik").getByText("Off: nobody can log in with it.").waitFor();
  await card("Authentik").getByText("kept", { exact: true }).waitFor();
  expect(await barriers(page)).toEqual([]);
  await button("Edit").click();
  expect(await page.getByLabel("Client secret", { exact: true }).inputValue()).toBe("");
  expect(await barriers(page)).toEqual([]);
  expect(watched.troubles).toEqual([]);
});

test("a viewer sees everything, and is offered nothing", async () => {
  await openAs("/", people.viewer);
  await card("NAS").waitFor();
  expect(await page.getByRole("button").allInnerTexts()).toEqual([""]); // the account's, with an icon
  expect(await page.getByText(/agent/i).count()).toBe(0);
  expect(await barriers(page)).toEqual([]);
  await page.getByRole("link", { name: "NAS" }).click();
  await dialog("NAS").waitFor();
  for (const name of ["Wake", "Edit", "Delete device"]) expect(await button(name).count()).toBe(0);
  expect(await barriers(page)).toEqual([]);
  await page.goto("/settings");
  await expect.poll(sections).toEqual(["Profile", "Sessions", "Tokens"]);
  await page.goto("/settings/audit");
  await page.getByText(/no such page in the settings/).waitFor();
  expect(watched.troubles).toEqual([]);
});

test("a user adds what is theirs, wakes it, shares it, and is not offered what belongs to others", async () => {
  await openAs("/", people.user);
  await card("NAS").waitFor();
  expect(await button("Wake NAS").count()).toBe(0);
  expect(await page.getByRole("link", { name: "Edit Home" }).count()).toBe(0);
  await button("Add").click();
  await button("Device").click();
  const adding = dialog("Add a device");
  await adding.getByLabel("Name", { exact: true }).fill("Laptop");
  await adding.getByLabel("MAC address", { exact: true }).fill("02:00:00:00:0d:03");
  await adding.getByLabel("Cluster", { exact: true }).selectOption("Home");
  await button("Add device").click();
  await button("Wake Laptop").waitFor();
  await button("Add").click();
  await button("Cluster").click();
  const cluster = dialog("Add a cluster");
  await cluster.getByLabel("Laptop").waitFor();
  expect(await cluster.getByLabel("NAS").count()).toBe(0);
  expect(await cluster.getByText("Agents", { exact: true }).count()).toBe(0);
  await cluster.getByLabel("Name", { exact: true }).fill("Desk");
  await cluster.getByText("Owner and sharing").click();
  await cluster.getByLabel("Share with").selectOption(people.admin?.username ?? "");
  expect(await barriers(page)).toEqual([]);
  await button("Add cluster").click();
  await page.getByRole("link", { name: "Edit Desk" }).waitFor();
  const { items } = (await hub.api.get("/clusters")).body as { items: { name: string; shares: unknown }[] };
  expect(items.find(({ name }) => name === "Desk")?.shares).toEqual([{ userId: people.admin?.id, level: "wake" }]);
  await page.goto("/agents/pi");
  await dialog("Pi").waitFor();
  expect(await button("Save").count()).toBe(0);
  expect(await barriers(page)).toEqual([]);
  expect(watched.troubles).toEqual([]);
});

test("who is let out of a site sees nothing of it any more, without a reload", async () => {
  const person = await addPerson(hub, await firstSite(hub), "viewer");
  await openAs("/", person);
  await card("NAS").waitFor();
  await hub.api.patch(`/users/${person.id}`, { role: null });
  await hub.api.post("/clusters", { name: "Cellar" }); // a stream asks before each event whether its reader may have it
  await page.getByText(/has not been let in anywhere/).waitFor();
  expect(await card("NAS").count()).toBe(0);
  expect(await barriers(page)).toEqual([]);
  expect(watched.troubles).toEqual([]);
});
