import type { Key } from "#contracts/key.ts";
import type { RunningWake } from "../wake/running-wake.ts";

/** A needed device that is not ready: not on yet, or on without its service. */
export interface Awaited {
  readonly key: Key;
  readonly port: number | null;
}

const MAX_NAMED = 3;

/** What a wake waits for: `It waits for "nas" to be on, for "dns" to accept connections on port 53`. */
export function waitingInWords(awaited: readonly Awaited[]): string {
  const off = awaited.filter(({ port }) => port === null).map(({ key }) => `"${key}"`);
  const services = awaited.flatMap(({ key, port }) =>
    port === null ? [] : `"${key}" to accept connections on port ${port}`,
  );
  const named = off.slice(0, MAX_NAMED).join(", ");
  const others = off.length > MAX_NAMED ? ` and ${off.length - MAX_NAMED} more` : "";
  const parts = [...(off.length > 0 ? [`${named}${others} to be on`] : []), ...services.slice(0, MAX_NAMED)];
  return `It waits for ${parts.join(", for ")}`;
}

/** Why a needed device that nobody wakes any more is not up. */
export function whyNotUp(enabled: boolean, last: Pick<RunningWake, "last"> | undefined): string {
  if (!enabled) return "it is disabled";
  const end = last?.last;
  if (end?.stage === "no-answer") return `it did not answer within ${end.seconds} s`;
  if (end?.stage === "failed") return end.reason;
  if (end?.stage === "cancelled") return `its wake was cancelled by ${end.by}`;
  return "it is not on";
}
