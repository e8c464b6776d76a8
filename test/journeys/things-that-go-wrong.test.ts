import type { Browser } from "playwright";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SESSION_COOKIE } from "#core/auth/session-cookie.ts";
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
import { ADMIN, type TestAgent, type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type SimulatedMachine, startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";

/** What people meet on a bad day. The page tells what happened, loses nothing, and goes on by itself. */

let browser: Browser | undefined;
let hub: TestHub;
let agent: TestAgent;
let machine: SimulatedMachine;
let watched: WatchedPage;

beforeAll(async () => {
  hub = await startTestHub();
  const { id: clusterId } = (await hub.api.post("/clusters", { name: "Home" })).body;
  agent = await hub.startAgent({ name: "Pi Garage", clusterId });
  machine = await startSimulatedMachine({ mac: "02:00:00:00:0b:01", host: "127.0.3.2", tcpPort: 0, neverBoots: true });
  await hub.api.post("/devices", {
    name: "Broken PC",
    mac: machine.mac,
    clusterId,
    address: machine.host,
    wake: { addresses: ["127.255.255.255"], ports: [machine.udpPort], windowSeconds: 5 },
    watch: { icmp: false, arp: false, tcpPorts: [machine.tcpPort], intervalSeconds: 1 },
  });
  browser = await startBrowser();
});

beforeEach((context) => needsChromium(context));

afterEach(() => watched?.close());

afterAll(async () => {
  await browser?.close();
  await hub.close();
  await machine.close();
});

const card = () => watched.page.getByRole("article", { name: "Broken PC" });
const wakeButton = () => card().getByRole("button", { name: "Wake Broken PC" });

describe("a wake", () => {
  test("that nobody answers says so after its window, keeps saying so, and may be tried again", async () => {
    watched = await watchedPageOf(browser, hub);
    await card()
      .getByText(/^Off since/)
      .waitFor();
    await wakeButton().click();
    await card()
      .getByText(/^Waking… \d s$/)
      .waitFor();
    await card()
      .getByText(/by pi-garage/)
      .waitFor();
    expect(await barriers(watched.page)).toEqual([]);
    await card()
      .getByText(/^No answer after 5 s/)
      .waitFor();
    await card()
      .getByText(/^Off since/)
      .waitFor();
    await wakeButton().waitFor();
    expect(await barriers(watched.page)).toEqual([]);
    await watched.page.reload();
    await card()
      .getByText(/^No answer after 5 s/)
      .waitFor();
    expect(machine.packets.length).toBeGreaterThan(0);
    expect(watched.troubles).toEqual([]);
  });

  test("is cancelled by whoever asked for it", async () => {
    watched = await watchedPageOf(browser, hub);
    await wakeButton().click();
    await card()
      .getByRole("button", { name: /Cancel/ })
      .click();
    await card()
      .getByText(/^Off since/)
      .waitFor();
    await wakeButton().waitFor();
    await watched.page.getByRole("link", { name: "Broken PC" }).click();
    await watched.page.getByRole("dialog").getByText("Cancelled by admin").first().waitFor();
    expect(watched.troubles).toEqual([]);
  });

  test("is not offered while its agent is offline, with the reason, and is again when it is back", async () => {
    watched = await watchedPageOf(browser, hub);
    await wakeButton().waitFor();
    await agent.close();
    await watched.page.getByRole("link", { name: /Pi Garage.*offline/ }).waitFor();
    await card()
      .getByText(/No agent is online/)
      .waitFor();
    expect(await wakeButton().count()).toBe(0);
    expect(await barriers(watched.page)).toEqual([]);
    await agent.start();
    await wakeButton().waitFor();
    expect(watched.troubles).toEqual([]);
  });
});

describe("a form", () => {
  test("says at its field what is wrong with a MAC address, and keeps the rest", async () => {
    watched = await watchedPageOf(browser, hub);
    const { page } = watched;
    const dialog = page.getByRole("dialog");
    const mac = dialog.getByLabel("MAC address", { exact: true });
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("button", { name: "Device", exact: true }).click();
    await dialog.getByLabel("Name", { exact: true }).fill("Second PC");
    await dialog.getByLabel("Description").fill("Under the desk");
    await mac.fill("not a MAC address");
    await page.keyboard.press("Enter");
    await dialog.locator("#mac[aria-invalid=true]:focus").waitFor();
    expect(await barriers(page)).toEqual([]);
    await mac.fill(machine.mac.toUpperCase());
    await page.keyboard.press("Enter");
    await dialog.getByText(/Broken PC.* has this MAC address/).waitFor();
    await dialog.locator("#mac[aria-invalid=true]:focus").waitFor();
    expect(await dialog.getByLabel("Name", { exact: true }).inputValue()).toBe("Second PC");
    expect(await dialog.getByLabel("Description").inputValue()).toBe("Under the desk");
    await mac.fill("02:00:00:00:0b:02");
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("article", { name: "Second PC" }).waitFor();
    expect(watched.troubles).toEqual([]);
  });

  test("survives the end of its session: the log-in comes above it, and what was typed is saved", async () => {
    watched = await watchedPage(browser, hub.url);
    const { page, context } = watched;
    const form = page.getByRole("dialog", { name: "Edit Broken PC" });
    const login = page.getByRole("dialog", { name: "Log in again" });
    await page.goto("/devices/broken-pc");
    await page.getByLabel("User name").fill(ADMIN.username);
    await page.getByLabel("Password").fill(ADMIN.password);
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Broken PC" }).getByRole("button", { name: "Edit" }).click();
    await form.getByLabel("Description").fill("Its power supply is gone");

    const session = (await context.cookies()).find(({ name }) => name === SESSION_COOKIE)?.value ?? "";
    expect((await createApi(hub.url, session).post("/auth/logout")).status).toBe(200);
    await login.getByLabel("User name").fill(ADMIN.username);
    expect(await barriers(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await login.getByLabel("Password").fill(ADMIN.password);
    await page.keyboard.press("Enter");
    await login.waitFor({ state: "detached" });
    expect(await form.getByLabel("Description").inputValue()).toBe("Its power supply is gone");
    await form.getByRole("button", { name: "Save" }).click();
    await form.waitFor({ state: "detached" });
    const { items } = (await hub.api.get("/devices?q=Broken")).body;
    expect(items[0].description).toBe("Its power supply is gone");
    expect(watched.troubles).toEqual([]);
  });
});

describe("a hub that restarts", () => {
  test("is said to be away, and the page is live again by itself with what changed meanwhile", async () => {
    watched = await watchedPageOf(browser, hub);
    const { page, troubles } = watched;
    const lost = page.getByText(/connection to the hub is lost/);
    await card().waitFor();
    await page.evaluate("globalThis.isTheSamePage = true");
    await hub.hub.close();
    await lost.waitFor();
    await card().waitFor();
    await hub.restart();
    await lost.waitFor({ state: "detached" });
    await hub.api.post("/devices", { name: "Third PC", mac: "02:00:00:00:0b:03" });
    await page.getByRole("article", { name: "Third PC" }).waitFor();
    await page.getByRole("link", { name: /Pi Garage.*online/ }).waitFor();
    expect(await page.evaluate("globalThis.isTheSamePage")).toBe(true);
    expect(troubles.filter((trouble) => !isHubAway(trouble))).toEqual([]);
  });
});
