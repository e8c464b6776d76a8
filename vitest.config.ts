import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{agent,broker,core,test}/**/*.test.ts"],
    globalSetup: ["test/fixtures/postgres-server.ts"],
    // A real hub, broker and database stand behind most tests; a busy machine may need a while.
    expect: { poll: { interval: 40, timeout: 5_000 } },
    testTimeout: 20_000,
    hookTimeout: 30_000,
    pool: "forks",
    // tests wait for real processes and clocks more than they compute
    maxWorkers: 4,
  },
});
