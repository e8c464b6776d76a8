import { readFileSync } from "node:fs";
import type { Browser } from "playwright";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type WatchedPage, barriers, needsChromium, startBrowser, watchedPageOf } from "#test/fixtures/browser.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";

/** Machines that another program knows move to a new hub, and back out of it as a file. */

let browser: Browser | undefined;
let hub: TestHub;
let watched: WatchedPage;

beforeAll(async () => {
  hub = await startTestHub();
  browser = await startBrowser();
});

beforeEach((context) => needsChromium(context));

afterEach(() => watched.close());

afterAll(async () => {
  await browser?.close();
  await hub.close();
});

const button = (name: string) => watched.page.getByRole("button", { name, exact: true });

const CONFIGURATION = `switch:
  - platform: wake_on_lan
    name: NAS
    mac: "02:00:00:00:0e:01"
    host: nas.lan
    turn_off:
      service: shell_command.turn_off_nas
  - platform: wake_on_lan
    name: Media PC
    mac: "02:00:00:00:0e:02"
  - platform: wake_on_lan
    name: Old PC
    mac: !secret old_pc
`;

test("machines come from Home Assistant, are changed in a spreadsheet, and never by surprise", async () => {
  watched = await watchedPageOf(browser, hub);
  const { page } = watched;
  await button("import many from a file").click();
  const dialog = page.getByRole("dialog", { name: "Import devices" });
  await dialog.getByLabel("File").setInputFiles({
    name: "configuration.yaml",
    mimeType: "application/yaml",
    buffer: Buffer.from(CONFIGURATION),
  });
  await expect.poll(() => dialog.getByLabel("Format").inputValue()).toBe("home-assistant");
  expect(await barriers(page)).toEqual([]);
  await button("Preview").click();
  await dialog.getByText(/Its MAC address stands in another file/).waitFor();
  await dialog.getByText("Home Assistant turned it off by shell_command.turn_off_nas.").waitFor();
  expect(await barriers(page)).toEqual([]);
  await button("Import 2 devices").click();
  await dialog.getByText("2 devices added").waitFor();
  expect(await barriers(page)).toEqual([]);
  await button("Done").click();
  await page.getByRole("article", { name: "NAS" }).waitFor();
  await page.getByRole("article", { name: "Media PC" }).waitFor();

  await button("Add").click();
  await button("Export devices…").click();
  expect(await barriers(page)).toEqual([]);
  const [download] = await Promise.all([page.waitForEvent("download"), button("Export").click()]);
  expect(download.suggestedFilename()).toBe("powerbeacon-devices.csv");
  const csv = readFileSync(await download.path(), "utf8");

  await button("Add").click();
  await button("Import devices…").click();
  await dialog.getByLabel("Or its text").fill(csv.replace("Media PC", "Cinema"));
  await button("Preview").click();
  const cinema = dialog.getByRole("checkbox", { name: "Cinema" });
  await cinema.waitFor();
  expect(await cinema.isChecked()).toBe(false);
  await cinema.check();
  await button("Import 1 device").click();
  await dialog.getByText("1 device changed").waitFor();
  await button("Done").click();
  await page.getByRole("article", { name: "Cinema" }).waitFor();
  expect(watched.troubles).toEqual([]);
}, 60_000);
