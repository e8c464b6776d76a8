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

export interface RealAgentOptions {
  readonly name: string;
  readonly clusterId: string;
  readonly file?: string;
  /** Where it finds the hub. */
  readonly hubUrl?: string;
  /** The network namespace that it runs in; it becomes that process itself. */
  readonly namespace?: string;
}

/** Joins a real agent by a fresh code, runs it as a process of its own and waits until the hub sees it online. */
export async function startRealAgent(
  hub: HubProcess,
  { name, clusterId, file = "agent/main.ts", hubUrl = hub.url, namespace }: RealAgentOptions,
  cleanup: Cleanup,
): Promise<{ pid: number; key: string }> {
  const stateDir = mkdtempSync(join(tmpdir(), "powerbeacon-bench-agent-"));
  cleanup.add(() => rmSync(stateDir, { recursive: true, force: true }));
  const { body } = await hub.api.post("/enrolments", { clusterId });
  const { agent: key, agentId } = await joinHub({ hubUrl, code: body.code, name, stateDir });
  const flags = process.env["BENCH_AGENT_FLAGS"]?.split(" ").filter(Boolean) ?? [];
  const command = [process.execPath, ...flags, file, "run", "--state", stateDir];
  const [program = "", ...args] = namespace ? ["ip", "netns", "exec", namespace, ...command] : command;
  const child = spawn(program, args, {
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
