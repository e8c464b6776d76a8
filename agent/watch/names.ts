import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { answerStandsMs } from "./names.rules.ts";
import { Turns } from "./turns.ts";

const MAX_ADDRESSES = 4;
/**
 * The system's resolver blocks a thread for as long as it takes, half a minute at worst, and libuv gives such work two
 * threads. One is left for the name of the hub.
 */
const LOOKUPS_AT_ONCE = 1;
/** A look goes on without a name that takes longer; the answer serves the next one. */
const WAIT_MS = 2_000;

/** No addresses when nobody has this name now; undefined when nobody who could be asked has answered yet. */
export type Addresses = readonly string[] | undefined;

interface Entry {
  addresses: Addresses;
  /** Attempts in a row that found no address. */
  failures: number;
  lookedUpMs: number;
  running: Promise<void> | undefined;
}

export interface NamesOptions {
  /** Rejects with ENOTFOUND when nobody has this name. */
  readonly lookUp?: (name: string) => Promise<readonly string[]>;
  readonly waitMs?: number;
  /** A clock that runs on, in milliseconds. */
  readonly now?: () => number;
}

/** Finds the IP addresses of host names with the system's resolver (DNS, mDNS, hosts file), and remembers them for a while. */
export class Names {
  readonly #options: Required<NamesOptions>;
  readonly #turns = new Turns(LOOKUPS_AT_ONCE);
  readonly #entries = new Map<string, Entry>();

  constructor({ lookUp = lookUpBySystem, waitMs = WAIT_MS, now = () => performance.now() }: NamesOptions = {}) {
    this.#options = { lookUp, waitMs, now };
  }

  /** What is known of a name, after a short while at most. Never rejects. */
  async addressesOf(address: string, options: { readonly urgent: boolean }): Promise<Addresses> {
    if (isIP(address)) return [address];
    const entry = this.#entryOf(address);
    if (this.#options.now() - entry.lookedUpMs < answerStandsMs(entry.failures, options)) return entry.addresses;
    entry.running ??= this.#turns.run(() => this.#lookUp(address, entry), options);
    await noLongerThan(this.#options.waitMs, entry.running);
    return entry.addresses;
  }

  /** Forgets the other names. */
  keepOnly(names: ReadonlySet<string | null>): void {
    for (const name of this.#entries.keys()) if (!names.has(name)) this.#entries.delete(name);
  }

  #entryOf(name: string): Entry {
    const known = this.#entries.get(name);
    if (known) return known;
    const entry: Entry = { addresses: undefined, failures: 0, lookedUpMs: -Infinity, running: undefined };
    this.#entries.set(name, entry);
    return entry;
  }

  async #lookUp(name: string, entry: Entry): Promise<void> {
    try {
      entry.addresses = (await this.#options.lookUp(name)).slice(0, MAX_ADDRESSES);
      entry.failures = 0;
    } catch (error) {
      // a resolver that is away takes no address from a machine; one that knows of none does
      if ((error as NodeJS.ErrnoException).code === "ENOTFOUND") entry.addresses = [];
      entry.failures += 1;
    }
    entry.lookedUpMs = this.#options.now();
    entry.running = undefined;
  }
}

export async function lookUpBySystem(name: string): Promise<string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

async function noLongerThan(timeoutMs: number, work: Promise<void>): Promise<void> {
  const stop = new AbortController();
  const timeout = sleep(timeoutMs, undefined, { signal: stop.signal }).catch(() => {}); // the work was done first
  await Promise.race([work, timeout]);
  stop.abort();
}
