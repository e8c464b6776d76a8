import type { Browser, Page } from "playwright";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createApi } from "#test/fixtures/api.ts";
import {
  type WatchedPage,
  barriers,
  isHubAway,
  needsChromium,
  startBrowser,
  watchedPage,
  watchedPageOf,
} from "#test/fixtures/browser.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { connectMqtt } from "#test/fixtures/mqtt.ts";
import { type Person, addPerson, firstSite, logIn } from "#test/fixtures/people.ts";
import { freshName } from "#test/fixtures/scripted-agent.ts";

/** One hub, several people: what each of them sees, may do, and keeps to themselves. */

let browser: Browser | undefined;
let hub: TestHub;
const opened: WatchedPage[] = [];

beforeAll(async () => {
  hub = await startTestHub({ TRUST_PROXY: "127.0.0.1" });
  const { id: clusterId } = (await hub.api.post("/clusters", { name: "Home" })).body;
  await hub.startAgent({ name: "Pi", clusterId });
  await hub.api.post("/devices", { name: "NAS", mac: "02:00:00:00:0c:01", clusterId });
  browser = await startBrowser();
});

beforeEach((context) => needsChromium(context));

afterEach(async () => {
  for (const watched of opened.splice(0)) await watched.close();
});

afterAll(async () => {
  await browser?.close();
  await hub.close();
});

/** A browser in which somebody with this token is logged in. */
async function openAs(token: string | null, path: string): Promise<Page> {
  const watched = await watchedPageOf(browser, { url: hub.url, api: createApi(hub.url, token) }, path);
  opened.push(watched);
  return watched.page;
}

/** A browser in which nobody is logged in. */
async function openAsStranger(): Promise<Page> {
  const watched = await watchedPage(browser, hub.url);
  opened.push(watched);
  await watched.page.goto("/");
  return watched.page;
}

function troubles() {
  return opened.flatMap((watched) => watched.troubles);
}

/** The token of another session of somebody's. */
function logInAgain({ username, password }: Person): Promise<string> {
  return logIn(hub.url, { username, password });
}

/** A stream asks before each event whether its reader may still have it. */
async function somethingHappens(): Promise<void> {
  await hub.api.post("/clusters", { name: freshName("Room") });
}

async function fillIn(page: Page, username: string, password: string): Promise<void> {
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.keyboard.press("Enter");
}

test("a superuser lets somebody in, who chooses a password, sees what the role may, and is given a device to wake", async () => {
  const admin = await openAs(hub.api.token, "/settings/users");
  await admin.getByRole("button", { name: "Add", exact: true }).click();
  const form = admin.getByRole("dialog", { name: "Add a user" });
  await form.getByLabel("User name").fill("carla");
  await form.getByLabel("Name", { exact: true }).fill("Carla de la Cruz");
  await form.getByLabel("Password", { exact: true }).fill("short");
  await form.getByRole("button", { name: "Add user" }).click();
  await form.getByText(/needs at least 8 characters/).waitFor();
  expect(await barriers(admin)).toEqual([]);
  await form.getByLabel("Password", { exact: true }).fill("the first password");
  await form.getByRole("button", { name: "Add user" }).click();
  await admin.getByRole("listitem").filter({ hasText: "Carla de la Cruz" }).waitFor();
  expect(await barriers(admin)).toEqual([]);

  const carla = await openAsStranger();
  await fillIn(carla, "carla", "the first password");
  await carla.getByRole("heading", { name: "Choose a password of your own" }).waitFor();
  expect(await barriers(carla)).toEqual([]);
  await carla.getByLabel("Password that you were given").fill("the first password");
  await carla.getByLabel("New password", { exact: true }).fill("a password of carla's");
  await carla.getByLabel("New password once more").fill("a password of carla's");
  await carla.keyboard.press("Enter");

  const nas = carla.getByRole("article", { name: "NAS" });
  await nas.waitFor();
  expect(await nas.getByRole("button", { name: "Wake NAS" }).count()).toBe(0);
  await carla.getByRole("button", { name: "Add", exact: true }).click();
  await carla.getByRole("button", { name: "Device", exact: true }).waitFor();
  expect(await carla.getByRole("button", { name: "Agent", exact: true }).count()).toBe(0);
  await carla.keyboard.press("Escape");

  await admin.goto("/devices/nas");
  await admin.getByRole("button", { name: "Edit" }).click();
  const device = admin.getByRole("dialog", { name: "Edit NAS" });
  await device.getByText("Owner and sharing").click();
  await device.getByLabel("Share with", { exact: true }).selectOption("Carla de la Cruz (carla)");
  await device.getByRole("button", { name: "Save" }).click();
  await device.waitFor({ state: "detached" });
  await nas.getByRole("button", { name: "Wake NAS" }).waitFor();

  await carla.getByRole("button", { name: "Account and settings" }).click();
  await carla.getByRole("link", { name: "Settings" }).click();
  await carla.getByRole("heading", { name: "Profile" }).waitFor();
  await carla.waitForURL("/settings/profile");
  expect(await carla.getByRole("navigation", { name: "Settings" }).getByRole("listitem").allInnerTexts()).toEqual([
    "Profile",
    "Sessions",
    "Tokens",
  ]);
  expect(await barriers(carla)).toEqual([]);
  expect(troubles()).toEqual([]);
}, 60_000);

test("a new password ends what else is open of the account, and nothing here", async () => {
  const person = await addPerson(hub, await firstSite(hub), "user");
  const here = await openAs(person.token, "/settings/profile");
  const elsewhere = await openAs(await logInAgain(person), "/");
  await elsewhere.getByRole("article", { name: "NAS" }).waitFor();
  await here.getByLabel("Current password").fill("not this one");
  await here.getByLabel("New password", { exact: true }).fill("another password");
  await here.getByLabel("New password once more").fill("another password");
  await here.keyboard.press("Enter");
  await here.getByText(/This is not your current password/).waitFor();
  await here.getByLabel("Current password").fill(person.password);
  await here.keyboard.press("Enter");
  await here.getByText(/your other sessions have ended/).waitFor();
  await somethingHappens();
  await elsewhere.getByRole("dialog", { name: "Log in again" }).waitFor();
  expect(await barriers(elsewhere)).toEqual([]);
  await here.getByRole("link", { name: "Sessions" }).click();
  await here.getByText("This one").waitFor();
  expect(await here.getByRole("main").getByRole("listitem").count()).toBe(1);
  expect(await barriers(here)).toEqual([]);
  await fillIn(elsewhere, person.username, "another password");
  await elsewhere.getByRole("dialog", { name: "Log in again" }).waitFor({ state: "detached" });
  await elsewhere.getByRole("article", { name: "NAS" }).waitFor();
  expect(troubles()).toEqual([]);
}, 60_000);

test("a session is ended from another, and that browser is asked to log in", async () => {
  const person = await addPerson(hub, await firstSite(hub), "viewer");
  const [here, phone] = [await openAs(person.token, "/settings/sessions"), await openAs(await logInAgain(person), "/")];
  await phone.getByRole("article", { name: "NAS" }).waitFor();
  await here.reload();
  await here.getByRole("button", { name: /^End the session/ }).click();
  await expect.poll(() => here.getByRole("button", { name: /^End the session/ }).count()).toBe(0);
  await somethingHappens();
  await phone.getByRole("dialog", { name: "Log in again" }).waitFor();
  expect(troubles()).toEqual([]);
}, 60_000);

test("a token is made, works by HTTP and by MQTT as far as was chosen, and no further, until it is revoked", async () => {
  const person = await addPerson(hub, await firstSite(hub), "user");
  const page = await openAs(person.token, "/settings/tokens");
  await page.getByText("You have none.").waitFor();
  await page.getByRole("button", { name: "Add", exact: true }).click();
  const form = page.getByRole("dialog", { name: "Add a token" });
  await form.getByLabel("Name").fill("Script");
  expect(await form.getByLabel("Manage MQTT credentials").count()).toBe(0);
  expect(await barriers(page)).toEqual([]);
  await form.getByRole("button", { name: "Add token" }).click();
  const ready = page.getByRole("dialog", { name: "Script is ready" });
  const token = await ready.getByText(/^pb_\S+$/).innerText();
  expect(await barriers(page)).toEqual([]);

  const script = createApi(hub.url, token);
  expect((await script.get("/devices")).body.items).toMatchObject([{ name: "NAS" }]);
  expect((await script.post("/devices", { name: "Box", mac: "02:00:00:00:0c:02" })).status).toBe(403);
  expect((await script.get("/auth/me")).status).toBe(403);
  const username = await ready.getByText(/^~/).innerText();
  const client = await connectMqtt(hub.mqttUrl, { username, password: token }, ["powerbeacon/device/+/state"]);
  await expect.poll(() => client.on(/nas\/state$/)).not.toEqual([]);

  await ready.getByRole("button", { name: "I have copied it" }).click();
  const card = page.getByRole("article", { name: "Script" });
  await card.getByText(/(just now|ago), from/).waitFor();
  expect(await barriers(page)).toEqual([]);
  await card.getByRole("button", { name: "Revoke" }).click();
  expect(await barriers(page)).toEqual([]);
  await card.getByRole("button", { name: "Revoke" }).click();
  await page.getByText("You have none.").waitFor();
  expect((await script.get("/devices")).status).toBe(401);
  await client.close();
  expect(troubles()).toEqual([]);
}, 60_000);

test("who may do less from now on is offered less, without a reload", async () => {
  const person = await addPerson(hub, await firstSite(hub), "admin");
  const page = await openAs(person.token, "/");
  await page.getByRole("link", { name: /Pi/ }).waitFor();
  await page.getByRole("button", { name: "Add", exact: true }).waitFor();
  await hub.api.patch(`/users/${person.id}`, { role: "viewer" });
  await somethingHappens();
  await page.getByRole("button", { name: "Add", exact: true }).waitFor({ state: "detached" });
  await page.getByRole("link", { name: /Pi/ }).waitFor({ state: "detached" });
  expect(troubles()).toEqual([]);
}, 60_000);

test("a part of the settings that cannot be fetched says so, and the page can be loaded anew", async () => {
  const page = await openAs(hub.api.token, "/settings/profile");
  await page.route(/tokens-section/, (route) => route.abort());
  await page.getByRole("link", { name: "Tokens" }).click();
  await page.getByText("This part of the page could not be loaded.").waitFor();
  expect(await barriers(page)).toEqual([]);
  await page.unroute(/tokens-section/);
  await page.getByRole("button", { name: "Load the page anew" }).click();
  await page.getByRole("heading", { name: "Tokens" }).waitFor();
  expect(troubles().filter((trouble) => !isHubAway(trouble))).toEqual([]);
}, 60_000);

test("who is made a viewer, and then shut out, sees it without a reload", async () => {
  const person = await addPerson(hub, await firstSite(hub), "admin");
  const page = await openAs(person.token, "/settings/users");
  const list = page.getByRole("navigation", { name: "Settings" }).getByRole("listitem");
  await expect.poll(() => list.count()).toBe(7);
  await page.getByRole("heading", { name: "Users" }).waitFor();
  await hub.api.patch(`/users/${person.id}`, { role: "viewer" });
  await expect.poll(() => list.allInnerTexts()).toEqual(["Profile", "Sessions", "Tokens"]);
  await page.getByText(/no such page in the settings/).waitFor();
  await hub.api.patch(`/users/${person.id}`, { enabled: false });
  await somethingHappens();
  await page.getByRole("dialog", { name: "Log in again" }).waitFor();
  expect(troubles()).toEqual([]);
}, 60_000);
