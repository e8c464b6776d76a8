import type { Heartbeat } from "#contracts/agent.ts";

/** A heartbeat as a real agent sends it. */
export function heartbeatPayload(sequence: number): string {
  const at = new Date().toISOString();
  return JSON.stringify({
    at,
    sequence,
    startedAt: at,
    version: "1.0.0",
    load1: 0.4,
    memoryUsedPercent: 41,
    diskUsedPercent: 63,
    temperatureC: 48.2,
    clockOffsetMs: 12,
  } satisfies Heartbeat);
}
