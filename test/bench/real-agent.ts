import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { joinHub } from "../../agent/join.ts";
import type { Cleanup } from "./cleanup.ts";
import { type HubProcess, ROOT } from "./hub-process.ts";

/** Builds the agent as it ships: one file. @returns its path. */
export function bundledAgent(cleanup: Cleanup): string {
  const folder = mkdtempSync(join(tmpdir(), "powerbeacon-bench-bundle-"));
  cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
  const vite = join(ROOT, "node_modules/vite/bin/vite.js");
  const build = ["build", "--config", "agent/vite.config.ts", "--outDir", folder, "--logLevel", "error"];
  execFileSync(process.execPath, [vite, ...build], { cwd: ROOT });
  return join(folder, "powerbeacon-agent.mjs");
}

/** Joins a real agent by a fresh code, runs it as a process of its own and waits until the hub sees it online. */
export async function startRealAgent(
  hub: HubProcess,
  { name, clusterId, file = "agent/main.ts" }: { name: string; clusterId: string; file?: string },
  cleanup: Cleanup,
): Promise<{ pid: number; key: string }> {
  const stateDir = mkdtempSync(join(tmpdir(), "powerbeacon-bench-agent-"));
  cleanup.add(() => rmSync(stateDir, { recursive: true, force: true }));
  const { body } = await hub.api.post("/enrolments", { clusterId });
  const { agent: key, agentId } = await joinHub({ hubUrl: hub.url, code: body.code, name, stateDir });
  const flags = process.env["BENCH_AGENT_FLAGS"]?.split(" ").filter(Boolean) ?? [];
  const child = spawn(process.execPath, [...flags, file, "run", "--state", stateDir], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"], LOG_LEVEL: "warn" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  cleanup.add(async () => {
    if (child.exitCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  });
  const deadline = performance.now() + 15_000;
  while ((await hub.api.get(`/agents/${agentId}`)).body.status !== "online") {
    if (performance.now() > deadline) throw new Error(`the agent ${name} does not come online`);
    await sleep(200);
  }
  return { pid: child.pid ?? 0, key };
}
