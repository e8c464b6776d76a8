import type { RefusalReason } from "#contracts/agent.ts";
import { ORDER_LIFETIME_MS } from "#contracts/limits.ts";
import type { MacAddress } from "#contracts/mac-address.ts";

/** An order may seem to come from this far in the future: the hub's time is known to half a round trip only. */
const TOLERANCE_MS = 2_000;
const MAX_REMEMBERED = 10_000;
const MAX_WOKEN = 10_000;

/** The claims that every order has, whatever it asks for. Times are NumericDates: seconds since 1970 UTC. */
export interface OrderClaims {
  readonly id: string;
  readonly aud: string;
  readonly iat: number;
  readonly exp: number;
}

export interface Circumstances {
  /** The topic that the order came on, without base. */
  readonly topic: string;
  /** The hub's time in milliseconds; undefined while it is not known. */
  readonly hubNowMs: number | undefined;
  /** When the hub last told its time, by its own clock, in milliseconds. */
  readonly toldAtMs: number;
  readonly seen: SeenOrders;
}

/** Why an order with a good signature is not obeyed; undefined when it is. Remembers the orders that are. */
export function refusalOf(
  order: OrderClaims,
  { topic, hubNowMs, toldAtMs, seen }: Circumstances,
): RefusalReason | undefined {
  if (order.aud !== topic) return "WRONG_AUDIENCE";
  if (hubNowMs === undefined) return "CLOCK_UNKNOWN";
  const issuedAtMs = order.iat * 1000;
  if (issuedAtMs < toldAtMs || order.exp * 1000 <= hubNowMs) return "EXPIRED";
  if (hubNowMs - issuedAtMs > ORDER_LIFETIME_MS) return "EXPIRED";
  if (issuedAtMs > hubNowMs + TOLERANCE_MS) return "NOT_YET_VALID";
  if (seen.has(order.id)) return "REPEATED";
  return seen.remember(order.id, issuedAtMs + ORDER_LIFETIME_MS, hubNowMs) ? undefined : "BUSY";
}

/**
 * Whether somebody woke the machine after a power order was issued: then it must not go down by that order any more.
 * A wake from the future says nothing: the hub's clock was set back since.
 */
export function isSuperseded(
  order: { readonly iat: number },
  wokenAtMs: number | undefined,
  hubNowMs: number,
): boolean {
  if (wokenAtMs === undefined || wokenAtMs > hubNowMs + TOLERANCE_MS) return false;
  return wokenAtMs >= order.iat * 1000;
}

/** When the hub last ordered machines to be woken, by its own clock. Those that were woken long ago are dropped for newer ones. */
export class NewestWakes {
  readonly #issuedAtMs = new Map<MacAddress, number>();
  readonly #most: number;

  constructor(most = MAX_WOKEN) {
    this.#most = most;
  }

  /** An older one changes nothing, unless what is known lies in the future: the hub's clock was set back since. */
  note(mac: MacAddress, issuedAtMs: number, hubNowMs = Infinity): void {
    const known = this.#issuedAtMs.get(mac) ?? 0;
    const isPast = known <= hubNowMs + TOLERANCE_MS;
    this.#issuedAtMs.delete(mac); // to the end
    this.#issuedAtMs.set(mac, isPast ? Math.max(issuedAtMs, known) : issuedAtMs);
    const [oldest] = this.#issuedAtMs.keys();
    if (this.#issuedAtMs.size > this.#most && oldest !== undefined) this.#issuedAtMs.delete(oldest);
  }

  of(mac: MacAddress): number | undefined {
    return this.#issuedAtMs.get(mac);
  }
}

/**
 * Whether a refusal may come from a wrong idea of the hub's time: its clock may have been set since it told the time.
 * Then asking anew helps, and the hub's next order is judged by the new answer, be it earlier or later than the last.
 */
export function doubtsClock(refusal: RefusalReason | undefined): boolean {
  return refusal === "NOT_YET_VALID" || refusal === "EXPIRED" || refusal === "CLOCK_UNKNOWN";
}

/** The ids of orders that could still be repeated. One that is still good is never dropped for a newer one. */
export class SeenOrders {
  readonly #goodUntilMs = new Map<string, number>();
  readonly #most: number;

  constructor(most = MAX_REMEMBERED) {
    this.#most = most;
  }

  has(id: string): boolean {
    return this.#goodUntilMs.has(id);
  }

  /** False when there is no room, so the order must not be obeyed. */
  remember(id: string, goodUntilMs: number, nowMs: number): boolean {
    if (this.#goodUntilMs.size >= this.#most) this.#dropExpired(nowMs);
    if (this.#goodUntilMs.size >= this.#most) return false;
    this.#goodUntilMs.set(id, goodUntilMs);
    return true;
  }

  #dropExpired(nowMs: number): void {
    for (const [id, goodUntilMs] of this.#goodUntilMs) if (goodUntilMs < nowMs) this.#goodUntilMs.delete(id);
  }
}
