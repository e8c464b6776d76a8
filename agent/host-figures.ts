import { readdir, readFile, statfs } from "node:fs/promises";
import { freemem, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import type { Heartbeat } from "#contracts/agent.ts";

const THERMAL_ZONES = "/sys/class/thermal";
/** What the processor's zone is called: `x86_pkg_temp`, `cpu-thermal`, `soc_thermal`, … Other zones measure other parts. */
const OF_THE_PROCESSOR = /cpu|pkg|soc|core/i;

export type HostFigures = Pick<Heartbeat, "load1" | "memoryUsedPercent" | "diskUsedPercent" | "temperatureC">;

/** How the machine is doing. A figure that the system does not give honestly is null. */
export async function readHostFigures(stateDir: string, platform = process.platform): Promise<HostFigures> {
  const [diskUsedPercent, temperatureC] = await Promise.all([diskUsed(stateDir), processorTemperature()]);
  return {
    load1: platform === "win32" ? null : round(loadavg()[0] ?? 0, 2), // Windows has no load average, Node says 0
    // on macOS Node counts only untouched pages as free, which is next to none on a healthy machine
    memoryUsedPercent: platform === "darwin" ? null : round((1 - freemem() / totalmem()) * 100, 1),
    diskUsedPercent,
    temperatureC,
  };
}

/** As `df` counts: blocks reserved for root are neither used nor free. */
async function diskUsed(directory: string): Promise<number | null> {
  try {
    const { blocks, bfree, bavail } = await statfs(directory);
    const used = blocks - bfree;
    return used + bavail > 0 ? round((used / (used + bavail)) * 100, 1) : null;
  } catch {
    return null; // no such directory, or a file system that does not tell
  }
}

async function processorTemperature(): Promise<number | null> {
  try {
    for (const zone of await readdir(THERMAL_ZONES)) {
      const directory = join(THERMAL_ZONES, zone);
      if (!zone.startsWith("thermal_zone")) continue;
      if (!OF_THE_PROCESSOR.test(await readFile(join(directory, "type"), "utf8"))) continue;
      const milliCelsius = Number(await readFile(join(directory, "temp"), "utf8"));
      if (Number.isFinite(milliCelsius)) return round(milliCelsius / 1000, 1);
    }
    return null;
  } catch {
    return null; // not Linux, or no sensor
  }
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
