import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { barriers, needsChromium, startBrowser, watchedPageOf } from "#test/fixtures/browser.ts";
import { FAST_DISCOVERY, type TestHomeAssistant, startHomeAssistant } from "#test/fixtures/home-assistant.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";

/** What whoever runs a hub sees and does of Home Assistant. */

let browser: Browser | undefined;
let hub: TestHub;
let homeAssistant: TestHomeAssistant;
let page: Page;
let nas: { id: string };

beforeAll(async () => {
  hub = await startTestHub({}, { discoveryTiming: FAST_DISCOVERY });
  nas = (await hub.api.post("/devices", { name: "NAS", mac: "02:00:00:00:0e:01" })).body;
  homeAssistant = await startHomeAssistant(hub, { name: "Living room" });
  await homeAssistant.mqtt.client.publishAsync("homeassistant/status", "online");
  browser = await startBrowser();
});

beforeEach((context) => needsChromium(context));

afterAll(async () => {
  await browser?.close();
  await homeAssistant.close();
  await hub.close();
});

const button = (name: string) => page.getByRole("button", { name, exact: true });

test("a thing is looked at, hidden, deleted there and shown again; what is published follows, and everything is sent", async () => {
  await expect.poll(() => homeAssistant.config("device", nas.id)).toMatchObject({ device: { name: "NAS" } });
  const watched = await watchedPageOf(browser, hub, "/settings/home-assistant");
  onTestFinished(() => watched.close());
  ({ page } = watched);
  await page.getByRole("heading", { name: "Home Assistant is listening" }).waitFor();
  await page.getByText(/Living room, connected since/).waitFor();
  expect(await barriers(page)).toEqual([]);

  await page.getByText("NAS", { exact: true }).click();
  const payload = page.getByRole("region", { name: /^Payload of homeassistant\/device\/powerbeacon_device_/ });
  expect(JSON.parse(await payload.innerText())).toEqual(homeAssistant.config("device", nas.id));
  await button("Hide…").click();
  await page.getByText(/It would clear 1 message/).waitFor();
  expect(await barriers(page)).toEqual([]);
  expect(homeAssistant.config("device", nas.id)).not.toBeNull();
  await button("Hide it").click();
  await expect.poll(() => homeAssistant.config("device", nas.id)).toBeNull();
  await button("Show again…").click();
  await button("Show it").click();
  await expect.poll(() => homeAssistant.config("device", nas.id)).toMatchObject({ device: { name: "NAS" } });

  await button("Hide…").waitFor({ timeout: 15_000 }); // the page has seen that it is shown again
  await homeAssistant.delete("device", nas.id);
  await button("Show again…").waitFor({ timeout: 15_000 }); // the page looks every few seconds

  await page.getByText("Try another format or prefix").click();
  await page.getByLabel("Format").selectOption("One message for each entity");
  await button("Preview").click();
  await page.getByText("HA_DISCOVERY_FORMAT=single").waitFor();
  expect(await barriers(page)).toEqual([]);
  const before = homeAssistant.count("hub", homeAssistant.hubId);
  await button("Send again").click();
  await expect.poll(() => homeAssistant.count("hub", homeAssistant.hubId)).toBeGreaterThan(before);
  await button("Clean up").click();
  await page.getByText("Nothing was left over.").waitFor({ timeout: 15_000 });
  expect(watched.troubles).toEqual([]);
});
