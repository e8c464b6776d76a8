import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import type { Browser } from "playwright";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { readConfig } from "#core/config.ts";
import { type Hub, startHub } from "#core/hub.ts";
import { type Agent, startAgent } from "../../agent/agent.ts";
import { joinHub } from "../../agent/join.ts";
import { simulatedPower } from "../../agent/fixtures/simulated-power.ts";
import { createLog } from "../../agent/log.ts";
import { type WatchedPage, barriers, needsChromium, startBrowser, watchedPage } from "#test/fixtures/browser.ts";
import { createDatabase } from "#test/fixtures/database.ts";
import { type TestMqttClient, connectMqtt } from "#test/fixtures/mqtt.ts";
import { type SimulatedMachine, startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";

/** The first quarter of an hour: from a hub that nobody has set up to a machine that was woken, all by the page. */

const ACCOUNT = { username: "anna", password: "correct horse battery" };

const folders: string[] = [];
let browser: Browser | undefined;
let hub: Hub;
let url: string;
let machine: SimulatedMachine;
let watched: WatchedPage | undefined;
let agent: Agent | undefined;
let client: TestMqttClient | undefined;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "powerbeacon-journey-"));
  folders.push(path);
  return path;
}

beforeAll(async () => {
  const config = readConfig({
    HTTP_HOST: "127.0.0.1",
    HTTP_PORT: "0",
    MQTT_HOST: "127.0.0.1",
    MQTT_PORT: "0",
    DATA_DIR: folder(),
    DATABASE_URL: await createDatabase(),
  });
  hub = await startHub(config, { log: pino({ level: "silent" }) });
  url = `http://127.0.0.1:${hub.httpPort}`;
  machine = await startSimulatedMachine({ mac: "02:00:00:00:0a:01", host: "127.0.3.1", bootMs: 3_000, tcpPort: 0 });
  browser = await startBrowser();
});

beforeEach((context) => needsChromium(context));

afterAll(async () => {
  await watched?.close();
  await browser?.close();
  await client?.close();
  await agent?.close();
  await hub.close();
  await machine.close();
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

test("a new hub is set up, gets an agent and a device, and wakes it, with nothing but the page", async () => {
  watched = await watchedPage(browser, url);
  const { page, context, troubles } = watched;
  const dialog = page.getByRole("dialog");
  const card = page.getByRole("article", { name: "NAS" });

  // the code of the hub's log makes the first account
  await page.goto("/");
  await page.getByLabel("Set-up code").fill("not the code");
  await page.getByLabel("User name").fill(ACCOUNT.username);
  await page.getByLabel("Password", { exact: true }).fill(ACCOUNT.password);
  await page.getByLabel("Password once more").fill(ACCOUNT.password);
  expect(await barriers(page)).toEqual([]);
  await page.getByRole("button", { name: "Make the account" }).click();
  await page.getByText(/set-up code is not the one/).waitFor();
  await page.getByLabel("Set-up code").fill(hub.setupCode ?? "");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "No devices yet" }).waitFor();
  await page.waitForURL("/");
  expect(await barriers(page)).toEqual([]);

  // an agent joins by the command that is shown, and appears by itself
  await page.getByRole("button", { name: "Join an agent" }).click();
  await dialog.getByRole("button", { name: "Make a join code" }).click();
  const command = await dialog.getByText(/^npm run agent -- join /).innerText();
  const [, hubUrl = "", code = ""] = /join (\S+) (\S+)$/.exec(command) ?? [];
  expect(await barriers(page)).toEqual([]);
  const stateDir = folder();
  const credential = await joinHub({ hubUrl, code, name: "Pi Garage", stateDir });
  await dialog.getByText("Pi Garage has joined; now run it").waitFor();
  const log = createLog({ level: "silent", stream: process.stderr });
  agent = await startAgent({ credential, stateDir, log, power: simulatedPower({ actions: [] }) });
  await dialog.getByText("Pi Garage has joined and is online").waitFor();
  await dialog.getByRole("button", { name: "Done" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("link", { name: /Pi Garage/ }).waitFor();

  // a device is added by the form, and is seen off
  await page.getByRole("button", { name: "Add a device" }).click();
  await dialog.getByLabel("Name", { exact: true }).fill("NAS");
  await dialog.getByLabel("MAC address", { exact: true }).fill("02-00-00-00-0A-01");
  await dialog.getByLabel("IP address or host name").fill(machine.host);
  await dialog.getByText("Waking", { exact: true }).click();
  await dialog.getByLabel("UDP ports").fill(String(machine.udpPort));
  await dialog.getByLabel("Send to").fill("127.255.255.255");
  await dialog.getByText("Watching", { exact: true }).click();
  await dialog.getByLabel("Ping it (ICMP)").uncheck();
  await dialog.getByLabel(/Look for its MAC address/).uncheck();
  await dialog.getByLabel("TCP ports").fill(String(machine.tcpPort));
  await dialog.getByLabel(/Look every/).fill("1");
  expect(await barriers(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Add device" }).click();
  await dialog.waitFor({ state: "detached" });
  await card.getByText(/^Off since/).waitFor();

  // it is woken; the page, and any MQTT client, see it go
  const answer = await context.request.post("/api/mqtt-clients", {
    headers: { "x-powerbeacon": "1" },
    data: { name: "Watcher", permissions: ["read"] },
  });
  const { username, password } = (await answer.json()) as { username: string; password: string };
  client = await connectMqtt(`mqtt://127.0.0.1:${hub.mqttPort}`, { username, password }, ["powerbeacon/device/#"]);
  await card.getByRole("button", { name: "Wake NAS" }).click();
  await card.getByText(/^Waking… \d s$/).waitFor();
  await card.getByText(/^Waking… [1-9] s$/).waitFor();
  await card.getByText(/^On since/).waitFor();
  await card.getByText(/^Woke in \d s$/).waitFor();
  await page.getByRole("heading", { name: "1 of 1 on" }).waitFor();
  expect(await barriers(page)).toEqual([]);
  expect(machine.packets.length).toBeGreaterThan(0);
  await expect
    .poll(() => client?.lastJson("powerbeacon/device/nas/info"))
    .toMatchObject({ power: "on", lastWake: { outcome: "awake", by: ACCOUNT.username, agents: ["pi-garage"] } });
  const states = client.on(/^powerbeacon\/device\/nas\/state$/).map(({ text }) => text);
  expect(states).toEqual(["OFF", "ON"]);

  // and its history tells how it went
  await page.getByRole("link", { name: "NAS" }).click();
  await dialog
    .getByText(/^Awake after \d s, seen by pi-garage \(TCP\)/)
    .first()
    .waitFor();
  await page.waitForURL("/devices/nas");
  expect(await barriers(page)).toEqual([]);

  expect(troubles).toEqual([]);
}, 60_000);
