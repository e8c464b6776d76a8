import type { z } from "zod";
import type { LeaseAnswer, LeaseCreate } from "#contracts/api/leases.ts";
import { CallError } from "../api/call.ts";

/** How long somebody may hold a device on: minutes, or a word. */
export const LONGS = [
  { value: "60", label: "For an hour" },
  { value: "120", label: "For 2 hours" },
  { value: "240", label: "For 4 hours" },
  { value: "480", label: "For 8 hours" },
  { value: "until", label: "Until…" },
  { value: "open", label: "Until I give it back" },
] as const;

/** As the hub takes it. @param until as a browser's field gives it: in the time of its clock. @throws CallError where it is missing. */
export function leaseFrom(long: string, until: string, reason: string): z.input<typeof LeaseCreate> {
  const why = reason === "" ? {} : { reason };
  if (long === "open") return why;
  if (long !== "until") return { ...why, forMinutes: Number(long) };
  const at = new Date(until);
  if (Number.isNaN(at.getTime()))
    throw new CallError("INVALID_INPUT", "Say until when", [{ path: "until", message: "is missing" }]);
  return { ...why, until: at.toISOString() };
}

/** `anna until 23:00: a backup runs`. */
export function leaseWords({ heldBy, until, reason }: LeaseAnswer, when: (instant: string) => string): string {
  const long = until === null ? "until it is given back" : `until ${when(until)}`;
  return `${heldBy} ${long}${reason === null ? "" : `: ${reason}`}`;
}
