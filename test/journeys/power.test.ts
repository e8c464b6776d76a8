import type { Browser } from "playwright";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type SimulatedPower, simulatedPower } from "../../agent/fixtures/simulated-power.ts";
import { type WatchedPage, barriers, needsChromium, startBrowser, watchedPageOf } from "#test/fixtures/browser.ts";
import { type TestAgent, type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type SimulatedMachine, startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";

/** Down, up, in order and by the clock: with a real hub, the agent on a machine that only the test takes down, and the page. */

let browser: Browser | undefined;
let hub: TestHub;
let watched: WatchedPage;
let nas: SimulatedMachine;
let broken: SimulatedMachine;
let power: SimulatedPower;
let own: TestAgent;
let nasId: string;

async function addDevice(name: string, machine: SimulatedMachine, row: object): Promise<string> {
  const { body } = await hub.api.post("/devices", {
    name,
    mac: machine.mac,
    address: machine.host,
    wake: { addresses: ["127.255.255.255"], ports: [machine.udpPort], windowSeconds: 5 },
    watch: { icmp: false, arp: false, tcpPorts: [machine.tcpPort], intervalSeconds: 1 },
    ...row,
  });
  return body.id;
}

beforeAll(async () => {
  hub = await startTestHub();
  const { id: clusterId } = (await hub.api.post("/clusters", { name: "Home", pace: { staggerMs: 1_000 } })).body;
  nas = await startSimulatedMachine({ mac: "02:00:00:00:0e:01", host: "127.0.3.41", tcpPort: 0 });
  broken = await startSimulatedMachine({ mac: "02:00:00:00:0e:02", host: "127.0.3.42", tcpPort: 0, neverBoots: true });
  nas.powerOn();
  power = simulatedPower({
    macs: [nas.mac],
    actions: ["shutdown", "sleep"],
    goDown: async () => {
      await nas.powerOff();
      setImmediate(() => void own.close()); // it goes with its machine
    },
  });
  await hub.startAgent({ name: "Pi Garage", clusterId });
  own = await hub.startAgent({ name: "On NAS", power });
  nasId = await addDevice("NAS", nas, { clusterId, power: { ownAgentId: own.id, countdownSeconds: 60 } });
  await addDevice("Broken PC", broken, { clusterId, dependsOn: [{ deviceId: nasId }] });
  browser = await startBrowser();
});

beforeEach((context) => needsChromium(context));

afterEach(() => watched?.close());

afterAll(async () => {
  await browser?.close();
  await hub.close();
  await nas.close();
  await broken.close();
});

const card = (name: string) => watched.page.getByRole("article", { name });
const button = (name: string) => watched.page.getByRole("button", { name, exact: true });
const dialog = (name: string) => watched.page.getByRole("dialog", { name });

describe("a power-off", () => {
  test("is told second by second, and called off by whoever asked for it", async () => {
    watched = await watchedPageOf(browser, hub);
    await button("Power off NAS").click();
    await dialog("Power off NAS").getByText("has 60 s to say “not now”").waitFor();
    expect(await barriers(watched.page)).toEqual([]);
    await button("Shut down").click();
    await card("NAS")
      .getByText(/^Asked on-nas · goes down in \d+ s unless somebody there says not now$/)
      .waitFor();
    await dialog("Power off NAS").waitFor({ state: "detached" });
    expect(await barriers(watched.page)).toEqual([]);
    await button("Keep on NAS").click();
    await card("NAS")
      .getByText(/^Called off|called off$/)
      .waitFor();
    await button("Power off NAS").waitFor();
    expect(power.downs).toEqual([]);
    expect(watched.troubles).toEqual([]);
  });

  test("that something on the machine speaks against is done anyway, after a second question", async () => {
    await hub.api.patch(`/devices/${nasId}`, { power: { countdownSeconds: 0 } });
    power.held = ["A backup runs"];
    watched = await watchedPageOf(browser, hub);
    await button("Power off NAS").click();
    await dialog("Power off NAS")
      .getByRole("radio", { name: /^Sleep/ })
      .check();
    await button("Sleep").click();
    await dialog("Power off NAS")
      .getByText(/A backup runs/)
      .first()
      .waitFor();
    expect(await barriers(watched.page)).toEqual([]);
    await button("Do it anyway").click();
    await button("Sleep anyway").click();
    await dialog("Power off NAS").waitFor({ state: "detached" });
    await card("NAS")
      .getByText(/^Off since/)
      .waitFor();
    await card("NAS")
      .getByText(/^Asleep in \d+ s, asked by admin$/)
      .waitFor();
    expect(power.downs).toEqual([{ action: "sleep", force: true }]);
    expect(watched.troubles).toEqual([]);
  });
});

describe("a cluster", () => {
  test("is woken after a look at the order, and what nobody answers has its reasons told", async () => {
    watched = await watchedPageOf(browser, hub);
    await button("Wake all of Home").click();
    const plan = dialog("Wake Home");
    await plan.getByText(/^Wakes once NAS is up/).waitFor();
    expect(await barriers(watched.page)).toEqual([]);
    await plan.getByRole("button", { name: "Wake 2 devices" }).click();
    await card("NAS")
      .getByText(/^On since/)
      .waitFor();
    await card("Broken PC")
      .getByText(/^No answer after 5 s/)
      .waitFor({ timeout: 20_000 });
    await card("Broken PC").getByRole("button", { name: /^Why/ }).click();
    await dialog("Would Broken PC wake?").getByRole("list", { name: "Findings" }).waitFor();
    expect(await barriers(watched.page)).toEqual([]);
    expect(watched.troubles).toEqual([]);
  }, 60_000);
});

describe("a schedule", () => {
  test("is made while it says when it would fire, leaves one out, is switched off, and goes", async () => {
    watched = await watchedPageOf(browser, hub);
    const { page } = watched;
    await page.getByRole("link", { name: "Schedules" }).click();
    await page.waitForURL("/schedules");
    await button("Add").click();
    const form = dialog("Add a schedule");
    await form.getByLabel("Name", { exact: true }).fill("Good night");
    await form.getByLabel("Do what").selectOption("Power off");
    await form.getByLabel("NAS", { exact: true }).check();
    await form.getByLabel("Time", { exact: true }).fill("23:15");
    await form.getByLabel("Time zone").fill("Europe/Athens");
    await form
      .getByText(/23:15 in Athens/)
      .first()
      .waitFor();
    expect(await barriers(page)).toEqual([]);
    await form.getByRole("button", { name: "Add schedule" }).click();
    await form.waitFor({ state: "detached" });
    await card("Good night")
      .getByText(/^Power off NAS · Monday to Friday at 23:15 \(Europe\/Athens\)$/)
      .waitFor();
    await button("Leave the next out").click();
    await card("Good night")
      .getByText(/which is left out$/)
      .waitFor();
    await page.getByText("What happened, and what comes").click();
    await page.getByText(/left out, as asked/).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole("switch", { name: /Good night/ }).click();
    await card("Good night").getByText("Switched off").waitFor();
    await button("Edit Good night").click();
    await button("Delete schedule").click();
    await button("Delete").click();
    await card("Good night").waitFor({ state: "detached" });
    expect(watched.troubles).toEqual([]);
  });
});
