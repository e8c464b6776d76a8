import type { Browser, Locator, Request } from "playwright";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  FAR_HOST,
  type WatchedPage,
  barriers,
  needsChromium,
  startBrowser,
  tabTo,
  watchedPage,
  watchedPageOf,
} from "#test/fixtures/browser.ts";
import { ADMIN, type TestAgent, type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type SimulatedMachine, startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";

/** What people do with a hub that runs: name things anew, move them, take them away, and find their way. */

let browser: Browser | undefined;
let hub: TestHub;
let agent: TestAgent;
let machine: SimulatedMachine;
let clusterId: string;
let watched: WatchedPage;
let octet = 0x10;

beforeAll(async () => {
  hub = await startTestHub();
  clusterId = (await hub.api.post("/clusters", { name: "Home" })).body.id;
  await hub.api.post("/clusters", { name: "Office" });
  agent = await hub.startAgent({ name: "Pi Garage", clusterId });
  machine = await startSimulatedMachine({ mac: "02:00:00:00:0c:01", host: "127.0.3.3", tcpPort: 0, bootMs: 200 });
  browser = await startBrowser();
});

beforeEach((context) => needsChromium(context));

afterEach(() => watched.close());

afterAll(async () => {
  await browser?.close();
  await hub.close();
  await machine.close();
});

async function addDevice(name: string, fields: object = {}) {
  const mac = `02:00:00:00:0c:${(octet++).toString(16)}`;
  const { body, status } = await hub.api.post("/devices", { name, mac, clusterId, ...fields });
  expect(status).toBe(201);
  return body;
}

const deviceOf = async (id: string) => (await hub.api.get(`/devices/${id}`)).body;
const dialog = (name: string) => watched.page.getByRole("dialog", { name, exact: true });
const button = (name: string) => watched.page.getByRole("button", { name, exact: true });
const card = (name: string) => watched.page.getByRole("article", { name, exact: true });
const path = () => new URL(watched.page.url()).pathname;

/** Opens the form of a device by its card. */
async function edit(name: string) {
  await watched.page.getByRole("link", { name, exact: true }).click();
  await dialog(name).getByRole("button", { name: "Edit", exact: true }).click();
  return dialog(`Edit ${name}`);
}

describe("a device", () => {
  test("is renamed: only its name is sent, and its key stays", async () => {
    const { id, key } = await addDevice("NAS", { description: "Photos", tags: ["storage"] });
    watched = await watchedPageOf(browser, hub);
    const changes: Request[] = [];
    watched.page.on("request", (request) => void (request.method() === "PATCH" && changes.push(request)));
    const form = await edit("NAS");
    await form.getByLabel("Name", { exact: true }).fill("Big NAS");
    expect(await barriers(watched.page)).toEqual([]);
    await form.getByRole("button", { name: "Save" }).click();
    await dialog("Big NAS").waitFor();
    expect(changes.map((request) => request.postDataJSON() as unknown)).toEqual([{ name: "Big NAS" }]);
    expect(await deviceOf(id)).toMatchObject({ name: "Big NAS", key, description: "Photos", tags: ["storage"] });
    await watched.page.keyboard.press("Escape");
    await card("Big NAS").waitFor();
    expect(watched.troubles).toEqual([]);
  });

  test("is moved to another cluster, and the page says that its link to an agent went with that", async () => {
    const { id } = await addDevice("Mover", { agentIds: [agent.id] });
    watched = await watchedPageOf(browser, hub);
    const form = await edit("Mover");
    await form.getByRole("combobox", { name: "Cluster" }).selectOption("Office");
    await form.getByRole("button", { name: "Save" }).click();
    await watched.page.getByText(/Mover moved.*1 link/).waitFor();
    await watched.page.keyboard.press("Escape");
    await watched.page.getByRole("region", { name: "Office" }).getByRole("article", { name: "Mover" }).waitFor();
    expect(await deviceOf(id)).toMatchObject({ agentIds: [] });
    expect(watched.troubles).toEqual([]);
  });

  test("has fields that can be emptied", async () => {
    const { id } = await addDevice("Full", { description: "Old", address: "10.0.0.9", tags: ["a"] });
    watched = await watchedPageOf(browser, hub);
    const form = await edit("Full");
    for (const label of ["Description", "IP address or host name", "Tags"]) await form.getByLabel(label).fill("");
    await form.getByRole("button", { name: "Save" }).click();
    await form.waitFor({ state: "detached" });
    expect(await deviceOf(id)).toMatchObject({ description: null, address: null, tags: [], name: "Full" });
    expect(watched.troubles).toEqual([]);
  });

  test("is deleted after a question, and the page says so once", async () => {
    const { id } = await addDevice("Old PC");
    watched = await watchedPageOf(browser, hub);
    await watched.page.getByRole("link", { name: "Old PC" }).click();
    await button("Delete device").click();
    await watched.page.getByText(/Delete Old PC/).waitFor();
    expect(await barriers(watched.page)).toEqual([]);
    await button("Keep").click();
    await button("Delete device").click();
    await button("Delete").click();
    await card("Old PC").waitFor({ state: "detached" });
    await watched.page.getByText("Old PC is deleted").waitFor();
    expect(await watched.page.getByText(/There is no/).count()).toBe(0);
    expect(await watched.page.getByText("Old PC is deleted").count()).toBe(1);
    await expect.poll(path).toBe("/");
    expect((await hub.api.get(`/devices/${id}`)).status).toBe(404);
    expect(watched.troubles).toEqual([]);
  });
});

describe("a cluster", () => {
  test("is added with members, loses one, and is deleted while they stay", async () => {
    const [one, two] = [await addDevice("Member One"), await addDevice("Member Two")];
    watched = await watchedPageOf(browser, hub);
    const { page } = watched;
    await button("Add").click();
    await button("Cluster").click();
    const form = dialog("Add a cluster");
    await form.getByLabel("Name", { exact: true }).fill("Attic");
    await form.getByLabel("Member One").check();
    await form.getByLabel("Member Two").check();
    expect(await barriers(page)).toEqual([]);
    await form.getByRole("button", { name: "Add cluster" }).click();
    const attic = page.getByRole("region", { name: "Attic" });
    await attic.getByRole("article", { name: "Member Two" }).waitFor();
    expect(await attic.getByRole("article").count()).toBe(2);

    await page.getByRole("link", { name: "Edit Attic" }).click();
    await expect.poll(path).toBe("/clusters/attic");
    await dialog("Edit Attic").getByLabel("Member One").uncheck();
    await button("Save").click();
    await expect.poll(() => attic.getByRole("article").count()).toBe(1);
    expect((await deviceOf(one.id)).clusterId).toBeNull();

    await page.getByRole("link", { name: "Edit Attic" }).click();
    await button("Delete cluster").click();
    await button("Delete").click();
    await attic.waitFor({ state: "detached" });
    await page.getByRole("region", { name: "In no cluster" }).getByRole("article", { name: "Member Two" }).waitFor();
    expect(await deviceOf(two.id)).toMatchObject({ name: "Member Two", clusterId: null });
    expect(watched.troubles).toEqual([]);
  });
});

describe("finding one's way", () => {
  test("an address leads to its device, and the browser's own buttons close and open it", async () => {
    await addDevice("Signpost");
    watched = await watchedPageOf(browser, hub, "/devices/signpost");
    await dialog("Signpost").waitFor();
    await watched.page.keyboard.press("Escape");
    await dialog("Signpost").waitFor({ state: "detached" });
    await expect.poll(path).toBe("/");
    await watched.page.goBack();
    await dialog("Signpost").waitFor();
    await watched.page.goForward();
    await dialog("Signpost").waitFor({ state: "detached" });
    await watched.page.getByRole("link", { name: /Pi Garage/ }).click();
    await expect.poll(path).toBe("/agents/pi-garage");
    await dialog("Pi Garage").waitFor();
    expect(await barriers(watched.page)).toEqual([]);
    await watched.page.goBack();
    await dialog("Pi Garage").waitFor({ state: "detached" });
    expect(watched.troubles).toEqual([]);
  });

  test("the browser's way back does not throw away what was typed without asking", async () => {
    watched = await watchedPageOf(browser, hub);
    const { page } = watched;
    const form = dialog("Edit Home");
    await page.getByRole("link", { name: "Edit Home" }).click();
    await form.getByLabel("Description").fill("Ground floor");
    await page.goBack();
    await form.getByText(/Discard what you typed/).waitFor();
    await expect.poll(path).toBe("/clusters/home");
    await form.getByRole("button", { name: "Keep editing" }).click();
    expect(await form.getByLabel("Description").inputValue()).toBe("Ground floor");
    await page.goBack();
    await form.getByRole("button", { name: "Discard" }).click();
    await form.waitFor({ state: "detached" });
    await expect.poll(path).toBe("/");
    expect((await hub.api.get(`/clusters/${clusterId}`)).body.description).toBeNull();
    expect(watched.troubles).toEqual([]);
  });

  test("an address that leads nowhere says so and shows the dashboard", async () => {
    watched = await watchedPageOf(browser, hub, "/devices/nobody");
    await watched.page.getByText(/There is no device/).waitFor();
    await watched.page.getByRole("region", { name: "Home" }).waitFor();
    await expect.poll(path).toBe("/");
    expect(watched.troubles).toEqual([]);
  });

  test("the appearance that a person chose is there again after a reload", async () => {
    watched = await watchedPageOf(browser, hub);
    const { page } = watched;
    const background = () => page.evaluate<string>("getComputedStyle(document.documentElement).backgroundColor");
    const choose = async (name: string) => {
      await button("Account and settings").click();
      await page.getByRole("radio", { name }).check();
    };
    await page.emulateMedia({ colorScheme: "light" });
    await choose("Light");
    const light = await background();
    await page.keyboard.press("Escape");
    await choose("Dark");
    const dark = await background();
    expect(dark).not.toBe(light);
    await page.reload();
    await button("Account and settings").waitFor();
    expect(await background()).toBe(dark);
    await choose("As the system");
    expect(await background()).toBe(light);
    expect(watched.troubles).toEqual([]);
  });
});

describe("from another machine by plain HTTP, as at home", () => {
  test("the log-in stays, and the command to join is copied", async () => {
    watched = await watchedPage(browser, hub.url.replace("127.0.0.1", FAR_HOST));
    const { page } = watched;
    await page.goto("/");
    expect(await page.evaluate("isSecureContext")).toBe(false);
    await page.getByLabel("User name").fill(ADMIN.username);
    await page.getByLabel("Password").fill(ADMIN.password);
    await page.keyboard.press("Enter");
    await page.getByRole("region", { name: "Home" }).waitFor();
    await page.reload();
    await button("Add").click();
    await button("Agent").click();
    await button("Make a join code").click();
    await button("Copy the command to join").first().click();
    await page.getByText("Copied").first().waitFor();
    await page.keyboard.press("Escape");
    await button("Add").click();
    await button("Device").click();
    await dialog("Add a device").getByLabel("Description").focus();
    await page.keyboard.press("ControlOrMeta+V");
    const command = await dialog("Add a device").getByLabel("Description").inputValue();
    expect(command).toMatch(/^npm run agent -- join http:\/\/hub\.test:\d+ pbj_\S+$/);
    expect(watched.troubles).toEqual([]);
  });
});

describe("on a phone", () => {
  test("everything fits its width, however long the names are", async () => {
    const long = "Wohnzimmerbeleuchtungssteuerungscomputer".repeat(2);
    await addDevice(long, { description: "x".repeat(300), tags: ["y".repeat(40)], address: `${"z".repeat(60)}.lan` });
    watched = await watchedPageOf(browser, hub);
    const { page } = watched;
    await page.setViewportSize({ width: 360, height: 640 });
    const overflow = () => page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
    const overflowOf = (element: Locator) => element.evaluate((shown) => shown.scrollWidth - shown.clientWidth);
    await card(long).waitFor();
    expect(await overflow()).toBe(0);
    await page.getByRole("link", { name: long }).click();
    await dialog(long).waitFor();
    expect(await overflowOf(dialog(long))).toBe(0);
    expect(await overflowOf(dialog(long).locator(".body"))).toBe(0);
    await dialog(long).getByRole("button", { name: "Edit", exact: true }).click();
    await dialog(`Edit ${long}`).getByText("Watching", { exact: true }).click();
    expect(await overflowOf(dialog(`Edit ${long}`).locator(".body"))).toBe(0);
    await expect.poll(() => isOnScreen(button("Save"))).toBe(true);
    expect(watched.troubles).toEqual([]);
  });
});

async function isOnScreen(element: Locator): Promise<boolean> {
  const box = await element.boundingBox();
  const screen = watched.page.viewportSize();
  return (
    box !== null &&
    screen !== null &&
    box.x >= 0 &&
    box.x + box.width <= screen.width &&
    box.y + box.height <= screen.height
  );
}

describe("without a mouse", () => {
  test("a device is added and woken by Tab, Enter and Escape", async () => {
    watched = await watchedPageOf(browser, hub);
    const { page } = watched;
    const type = (text: string) => page.keyboard.type(text);
    await page.getByRole("region", { name: "Home" }).waitFor();
    await tabTo(page, "Add", "button");
    await page.keyboard.press("Enter");
    await tabTo(page, "Device", "button");
    await page.keyboard.press("Enter");
    const form = dialog("Add a device");
    await form.waitFor();
    await type("Keyboard PC");
    await tabTo(page, "MAC address", "textbox");
    await type(machine.mac);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter"); // keeps what was typed
    await form.getByRole("button", { name: "Add device" }).waitFor();
    await tabTo(page, "IP address or host name", "textbox");
    await type(machine.host);
    await tabTo(page, "Cluster", "combobox");
    await type("Home");
    await form.getByText("Waking", { exact: true }).focus();
    await page.keyboard.press("Enter");
    await tabTo(page, "UDP ports", "textbox");
    await type(String(machine.udpPort));
    await tabTo(page, "Send to", "textbox");
    await type("127.255.255.255");
    await form.getByText("Watching", { exact: true }).focus();
    await page.keyboard.press("Enter");
    await tabTo(page, /Ping it/, "checkbox");
    await page.keyboard.press("Space");
    await tabTo(page, /Look for its MAC/, "checkbox");
    await page.keyboard.press("Space");
    await tabTo(page, "TCP ports", "textbox");
    await type(String(machine.tcpPort));
    await tabTo(page, /Look every/, "textbox");
    await type("1");
    await page.keyboard.press("Enter");
    await form.waitFor({ state: "detached" });

    await card("Keyboard PC")
      .getByText(/^Off since/)
      .waitFor();
    await tabTo(page, "Wake Keyboard PC", "button");
    await page.keyboard.press("Enter");
    await card("Keyboard PC")
      .getByText(/^On since/)
      .waitFor();
    await tabTo(page, "Keyboard PC", "link");
    await page.keyboard.press("Enter");
    await dialog("Keyboard PC").waitFor();
    await page.keyboard.press("Escape");
    await dialog("Keyboard PC").waitFor({ state: "detached" });
    expect(watched.troubles).toEqual([]);
  });
});
