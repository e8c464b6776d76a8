import { cp } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { build } from "vite";
import { topics } from "#contracts/topics.ts";
import { runProcess, startProcess } from "./fixtures/process.ts";
import { temporaryDirectory } from "./fixtures/scene.ts";
import { startStandInHub } from "./fixtures/stand-in-hub.ts";

test("the bundle is one file that joins and runs with nothing but Node", async () => {
  const built = await temporaryDirectory();
  const elsewhere = await temporaryDirectory();
  const hub = await startStandInHub();
  await build({ configFile: "agent/vite.config.ts", build: { outDir: built.path }, logLevel: "silent" });
  const file = join(elsewhere.path, "powerbeacon-agent.mjs");
  await cp(join(built.path, "powerbeacon-agent.mjs"), file);

  const stateDir = join(elsewhere.path, "state");
  expect(await runProcess(["status", "--state", stateDir], {}, file)).toMatchObject({
    exitCode: 1,
    output: `This agent has not joined a hub (${stateDir})\n`,
  });
  const environment = { STATE_DIR: stateDir, HUB_URL: hub.url, JOIN_CODE: hub.joinCode };
  const agent = startProcess(["run"], environment, file);
  await expect.poll(() => hub.broker.retained.get(topics.agentStatus.for("pi")), { timeout: 10_000 }).toBe("online");
  agent.child.kill();
  expect(await agent.ended).toBe(0);
  expect(agent.output.text).not.toContain("Warning");
  await Promise.all([hub.close(), built.remove(), elsewhere.remove()]);
});
