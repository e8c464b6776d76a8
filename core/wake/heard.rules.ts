/** Whose a magic packet was that an agent heard on its segment. */
export type PacketOrigin =
  /** One of the wake that runs: proof that it was on the wire. */
  | "on-wire"
  /** One of ours that proves nothing, or nothing new. */
  | "ours"
  /** Somebody else woke that machine. */
  | "foreign";

/** Packets and what is told of them may be this late after the end of their wake. Milliseconds. */
const STRAGGLERS_MS = 30_000;

/**
 * Whose packet it was, for the device that it wakes.
 *
 * @param wake the device's running or last wake. `sentFrom`: whether an agent that was asked in it has the address that the packet
 * came from; `byHearer`: whether that agent itself is the one that tells of it. `overForMs`: null while it runs.
 */
export function originOf(
  wake: { readonly sentFrom: boolean; readonly byHearer: boolean; readonly overForMs: number | null } | null,
): PacketOrigin {
  if (!wake?.sentFrom) return "foreign";
  if (wake.overForMs === null) return wake.byHearer ? "ours" : "on-wire";
  return wake.overForMs <= STRAGGLERS_MS ? "ours" : "foreign";
}
