import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** What Linux tells of a process. Elsewhere these throw. */

let ticksPerSecond: number | undefined;

/** User and system time that a process took since it began. Milliseconds, in steps of 10. */
export function cpuMs(pid: number): number {
  ticksPerSecond ??= Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // a program's name may hold spaces
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1_000;
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
