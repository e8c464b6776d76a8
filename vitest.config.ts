import { playwright } from "@vitest/browser-playwright";
import { type TestProjectInlineConfiguration, defineConfig } from "vitest/config";
import { CHROMIUM_ARGS, chromiumPath } from "./test/fixtures/chromium.ts";
import { LongFirst } from "./test/fixtures/long-first.ts";

// A real hub, broker and database stand behind most tests; a busy machine may need a while.
const patience = { expect: { poll: { interval: 40, timeout: 10_000 } }, testTimeout: 40_000, hookTimeout: 60_000 };

/** Tests wait for real processes and clocks more than they compute; projects with the same number run side by side. */
const WORKERS = 4;

const parts: TestProjectInlineConfiguration = {
  test: {
    ...patience,
    name: "hub",
    include: ["{agent,broker,core,ha-discovery,test}/**/*.test.ts"],
    globalSetup: ["test/fixtures/postgres-server.ts", "test/fixtures/built-page.ts"],
    setupFiles: ["test/fixtures/quick-passwords.ts"],
    pool: "forks",
    // each file ends what it started; a fresh process for every one of them costs as much as the tests
    isolate: false,
    maxWorkers: WORKERS,
  },
};

/** The elements of the page, each in a real browser. */
const elements = (executablePath: string): TestProjectInlineConfiguration => ({
  root: "web",
  // found before the first test: what is found later makes the browser load all anew
  optimizeDeps: { entries: ["main.ts"] },
  test: {
    ...patience,
    testTimeout: 10_000,
    name: "page",
    include: ["**/*.test.ts"],
    // one page for many files: the elements are loaded and defined once
    isolate: false,
    maxWorkers: WORKERS,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: { executablePath, args: CHROMIUM_ARGS },
        // words about days and times are the same wherever the tests run
        contextOptions: { locale: "en-GB", timezoneId: "Europe/Berlin" },
      }),
      instances: [{ browser: "chromium" }],
    },
  },
});

export default defineConfig({
  test: {
    projects: [parts, ...elementsWhereBrowser()],
    sequence: { sequencer: LongFirst },
    onConsoleLog: (text) => !text.startsWith("Lit is in dev mode"),
  },
});

function elementsWhereBrowser(): TestProjectInlineConfiguration[] {
  const chromium = chromiumPath();
  if (chromium !== undefined) return [elements(chromium)];
  const missing = "Chromium is not installed (Debian package: chromium)";
  if (process.env["CI"]) throw new Error(missing);
  process.stdout.write(`SKIPPED the tests of web/: ${missing}\n`);
  return [];
}
