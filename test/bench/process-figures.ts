import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import type { Cleanup } from "./cleanup.ts";

/** What Linux tells of a process. Elsewhere these throw. */

let ticksPerSecond: number | undefined;

/** User and system time that a process took since it began, with the children that have ended where these count. Milliseconds, in steps of 10. */
export function cpuMs(pid: number, { children = false }: { children?: boolean } = {}): number {
  ticksPerSecond ??= Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // a program's name may hold spaces
  const ticks = fields.slice(11, children ? 15 : 13).reduce((sum, field) => sum + Number(field), 0);
  const running = children ? childrenOf(pid).reduce((sum, child) => sum + cpuMsOfChild(child), 0) : 0;
  return (ticks / ticksPerSecond) * 1_000 + running;
}

function cpuMsOfChild(pid: number): number {
  try {
    return cpuMs(pid, { children: true });
  } catch {
    return 0; // it has ended meanwhile
  }
}

/** Memory of a process that is in RAM now. MiB. */
export function residentMiB(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1]) / 1024;
}

/** The largest memory of a process while some work goes on, looked at often. MiB. */
export async function peakResidentMiB(pid: number, work: Promise<unknown>): Promise<number> {
  let peak = residentMiB(pid);
  const timer = setInterval(() => (peak = Math.max(peak, residentMiB(pid))), 100);
  try {
    await work;
    return Math.max(peak, residentMiB(pid));
  } finally {
    clearInterval(timer);
  }
}

/** How many threads of Node's pool compute now, in which passwords are hashed. */
export function busyWorkers(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).filter((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8");
    const [, name = "", state = ""] = /\((.*)\) (\S)/.exec(stat) ?? [];
    return name.startsWith("libuv-worker") && state === "R";
  }).length;
}

/** Stops a Postgres and all of its processes where they stand. @returns what lets them go on. */
export function freezePostgres(serverPid: number, cleanup: Cleanup): () => void {
  const processes = [serverPid, ...childrenOf(serverPid)];
  const send = (signal: NodeJS.Signals) => {
    for (const pid of processes) process.kill(pid, signal);
  };
  let isFrozen = true;
  const thaw = () => {
    if (isFrozen) send("SIGCONT");
    isFrozen = false;
  };
  cleanup.add(thaw);
  send("SIGSTOP");
  return thaw;
}

function childrenOf(parent: number): number[] {
  const pids = readdirSync("/proc").map(Number).filter(Boolean);
  return pids.filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent;
    } catch {
      return false; // it has ended meanwhile
    }
  });
}
