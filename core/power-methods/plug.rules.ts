import type { MqttMethod } from "#contracts/api/power-methods.ts";

/** A payload larger than this is nobody's state. */
const MAX_PAYLOAD_BYTES = 64 * 1024;

/**
 * A field of a payload: the payload itself without a path, else a field of its JSON, by names with dots between: `ENERGY.Power`.
 *
 * Undefined where it is not there.
 */
export function fieldOf(payload: Uint8Array, path: string | null): string | undefined {
  if (payload.length > MAX_PAYLOAD_BYTES) return undefined;
  const text = new TextDecoder().decode(payload).trim();
  if (path === null) return text;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // a plug that was just switched off, or another kind of message
  }
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return ["string", "number", "boolean"].includes(typeof value) ? String(value) : undefined;
}

/** Whether power flows, as the payload of the state topic says; null where it says something else. */
export function plugState(
  method: Pick<MqttMethod, "statePath" | "stateOn" | "stateOff">,
  payload: Uint8Array,
): boolean | null {
  const word = fieldOf(payload, method.statePath)?.toLowerCase();
  if (word === method.stateOn.toLowerCase()) return true;
  return word === method.stateOff.toLowerCase() ? false : null;
}

/** What is drawn, in watts; undefined where the payload does not tell. Negative figures are those of a meter the wrong way round. */
export function plugWatts(method: Pick<MqttMethod, "wattsPath">, payload: Uint8Array): number | undefined {
  const word = fieldOf(payload, method.wattsPath);
  const watts = word === undefined || word === "" ? Number.NaN : Number(word);
  return Number.isFinite(watts) && Math.abs(watts) < 100_000 ? Math.max(0, watts) : undefined;
}

/**
 * What a plug says of the machine behind it: off where no power flows, and where it draws less than in standby; on where it
 * draws more. That power may flow says nothing by itself; null = it does not tell.
 */
export function machineBehind(
  { standbyWatts }: Pick<MqttMethod, "standbyWatts">,
  { flows, watts }: { readonly flows: boolean | null; readonly watts: number | null },
): boolean | null {
  if (flows === false) return false;
  if (standbyWatts === null || watts === null) return null;
  return watts > standbyWatts;
}

/** A figure stands for this long at most; a plug that is silent for longer was away. Milliseconds. */
const FIGURE_STANDS_MS = 15 * 60_000;

/** Watt hours used between two figures: the first one stood until the second came. */
export function wattHoursBetween(
  before: { readonly watts: number; readonly atMs: number } | undefined,
  nowMs: number,
): number {
  if (!before) return 0;
  return (before.watts * Math.min(Math.max(0, nowMs - before.atMs), FIGURE_STANDS_MS)) / 3_600_000;
}
