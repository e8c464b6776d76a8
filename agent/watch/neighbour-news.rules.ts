import type { NeighbourChange } from "./followed-neighbours.ts";

/**
 * What a change of the neighbour table means for a machine with this MAC address.
 *
 * `here`: it has just spoken. `in-doubt`: the system will ask it again as soon as somebody sends something there. `look`:
 * it did not answer the system, or another machine has its address.
 */
export type Meaning = "here" | "in-doubt" | "look" | "nothing";

/**
 * An answer makes an entry confirmed. An entry with a MAC address that comes about as stale, where there was none or one
 * that nobody answered to, comes from an ARP packet of the machine itself: it has just come up and asks for somebody.
 */
export function meaningOf(
  { before, after }: NeighbourChange,
  machine: { readonly mac: string; readonly arp: boolean; readonly isUp: boolean; readonly isAwaited: boolean },
): Meaning {
  // the system gives up after three questions; whoever waits for a machine has it ask on
  if (after?.state === "unanswered" && machine.isAwaited) return "in-doubt";
  if (after?.mac === machine.mac) {
    const wasKnown = before?.mac === machine.mac && before.state !== "unanswered";
    const hasSpoken = after.state === "confirmed" || (after.state === "stale" && !wasKnown);
    if (hasSpoken && machine.arp) return "here";
    if (hasSpoken) return machine.isUp ? "nothing" : "look";
    return after.state === "stale" && machine.isUp ? "in-doubt" : "nothing";
  }
  if (after?.state === "unanswered") return machine.isUp ? "look" : "nothing";
  return after?.state === "confirmed" && before?.state !== "confirmed" ? "look" : "nothing";
}
