import type { PacketReach } from "#contracts/order.ts";
import type { LearnedWay } from "./wake-recipe.entity.ts";

/** Where the bursts of one wake go, without I/O: what has worked first, then wider and wider. */

/** Who sends a burst: the agents that are known to work, those of the device, or all of its cluster. */
export type Senders = "learned" | "own" | "cluster";

export interface BurstPlan {
  readonly senders: Senders;
  /** Also to the device's own address, with its MAC address pinned there: for networks that let no broadcast through. */
  readonly unicast: boolean;
}

/**
 * Who sends the next burst of a wake, and how wide.
 *
 * A device sets its own `addresses`: then every burst goes there, and only who sends changes.
 *
 * @param burst counted from 1.
 * @param learned whether an agent that has woken it before is at hand.
 * @param nobodySent every agent said of the last burst that it could not, or none of the device's own is at hand.
 */
export function burstPlan({
  burst,
  learned,
  nobodySent,
}: {
  burst: number;
  learned: boolean;
  nobodySent: boolean;
}): BurstPlan {
  const step = learned ? burst - 1 : burst;
  if (step === 0) return { senders: "learned", unicast: false };
  if (step >= 3 || nobodySent) return { senders: "cluster", unicast: true };
  return { senders: "own", unicast: step === 2 };
}

/** What a learned way asks of a burst. */
export interface LearnedAim {
  readonly agentIds: readonly string[];
  /** Without it from every interface. */
  readonly interfaces: readonly string[] | undefined;
  readonly reach: readonly PacketReach[];
}

const LIMITED_BROADCAST = "255.255.255.255";

/**
 * The ways that are tried first: those that have worked at least half as often as the best one, of agents that can be asked now.
 *
 * Undefined where none is left.
 */
export function learnedAim(
  ways: readonly LearnedWay[],
  canAsk: (agentId: string) => boolean,
  address: string | null,
): LearnedAim | undefined {
  const able = ways.filter(({ agentId }) => canAsk(agentId));
  const most = Math.max(0, ...able.map(({ successes }) => successes));
  const best = able.filter(({ successes }) => successes * 2 >= most);
  if (best.length === 0) return undefined;
  const interfaces = best.flatMap((way) => way.interface ?? []);
  return {
    agentIds: [...new Set(best.map(({ agentId }) => agentId))],
    interfaces: interfaces.length === best.length ? [...new Set(interfaces)] : undefined,
    reach: [...new Set(best.map((way) => reachOf(way.address, address)))],
  };
}

/** What kind of destination an address was. */
function reachOf(to: string, deviceAddress: string | null): PacketReach {
  if (to === LIMITED_BROADCAST) return "limited";
  if (/^ff/i.test(to)) return "all-nodes";
  return to === deviceAddress ? "unicast" : "directed";
}
