import { HubError } from "../kernel/errors.ts";

/** The first pause, and what it grows to by doubling. Milliseconds. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15 * 60_000;
/** So many wrong passwords are anybody's; pauses begin behind them. */
const FREE_TRIES = 5;
/** Tries at one account by strangers, from everywhere together. */
const STRANGERS_A_MINUTE = 10;
/** No single network uses up what is there for all. */
const OF_ONE_A_MINUTE = 7;
const MINUTE_MS = 60_000;
/** The least time for which wrong passwords of one address at one account are remembered. */
const MEMORY_MS = 60 * 60_000;
/** Bounds against floods; the oldest are forgotten first. */
const MAX_PAIRS = 20_000;
const MAX_ACCOUNTS = 10_000;

interface Failures {
  readonly count: number;
  readonly lastMs: number;
}

/**
 * Slows down who guesses passwords, and nobody else.
 *
 * Pauses grow for the pair of account and address that failed, or browser that logged in before, so an attacker elsewhere
 * cannot lock the account's owner out. Tries of strangers at one account share a budget; an address or a browser that
 * logged in before is no stranger. Instants are of a monotonic clock.
 */
export class LoginGuard {
  readonly #failures = new Map<string, Failures>();
  readonly #strangers = new Map<string, readonly { readonly atMs: number; readonly from: string }[]>();

  /** Takes a try, before the password is looked at. @throws HubError TOO_MANY_REQUESTS with the seconds to wait. */
  admit(account: string, from: string, { isKnown, nowMs }: { isKnown: boolean; nowMs: number }): void {
    const failures = this.#failures.get(pairOf(account, from));
    const waitMs = failures ? failures.lastMs + pauseAfter(failures.count) - nowMs : 0;
    if (waitMs > 0) throw tooMany(waitMs);
    if (isKnown) return;
    const recent = (this.#strangers.get(account) ?? []).filter(({ atMs }) => nowMs - atMs < MINUTE_MS);
    const own = recent.filter((one) => one.from === from);
    const [oldest] = own.length >= OF_ONE_A_MINUTE ? own : recent;
    if (own.length >= OF_ONE_A_MINUTE || recent.length >= STRANGERS_A_MINUTE)
      throw tooMany(MINUTE_MS - (nowMs - (oldest?.atMs ?? nowMs)));
    put(this.#strangers, account, [...recent, { atMs: nowMs, from }], MAX_ACCOUNTS);
  }

  failed(account: string, from: string, nowMs: number): void {
    const pair = pairOf(account, from);
    const before = this.#failures.get(pair);
    const isFresh = before !== undefined && nowMs - before.lastMs < MEMORY_MS;
    put(this.#failures, pair, { count: (isFresh ? before.count : 0) + 1, lastMs: nowMs }, MAX_PAIRS);
  }

  succeeded(account: string, from: string): void {
    this.#failures.delete(pairOf(account, from));
  }
}

/** No pause for the first tries, then 1, 2, 4 … seconds up to a quarter of an hour. Milliseconds. */
export function pauseAfter(failures: number): number {
  if (failures < FREE_TRIES) return 0;
  return Math.min(FIRST_PAUSE_MS * 2 ** (failures - FREE_TRIES), LONGEST_PAUSE_MS);
}

function tooMany(waitMs: number): HubError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
  return new HubError("TOO_MANY_REQUESTS", `Too many tries; wait ${seconds} s`, { retryAfterSeconds: seconds });
}

function pairOf(account: string, from: string): string {
  return JSON.stringify([account, from]);
}

function put<Value>(map: Map<string, Value>, key: string, value: Value, bound: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= bound) return;
  for (const oldest of map.keys().take(1)) map.delete(oldest);
}
