import { lookup } from "node:dns/promises";
import { isIP } from "node:net";

/** A device that gets a new address is found there after this long. */
const GOOD_FOR_MS = 30_000;
const MAX_ADDRESSES = 4;

interface Entry {
  readonly found: Promise<string[] | undefined>;
  readonly lookedUpMs: number;
}

/** Finds the IP addresses of host names with the system's resolver (DNS, mDNS, hosts file), and remembers them for a while. */
export class Names {
  readonly #entries = new Map<string, Entry>();

  /** No addresses when nobody has this name now; undefined when nobody could be asked. Never rejects. */
  async addressesOf(address: string, nowMs: number): Promise<string[] | undefined> {
    if (isIP(address)) return [address];
    const known = this.#entries.get(address);
    if (known && nowMs - known.lookedUpMs < GOOD_FOR_MS) return known.found;
    const found = resolve(address);
    this.#entries.set(address, { found, lookedUpMs: nowMs });
    const result = await found;
    if (!result?.length) this.#entries.delete(address); // a machine that starts announces its name when it is ready
    return result;
  }
}

async function resolve(name: string): Promise<string[] | undefined> {
  try {
    const found = await lookup(name, { all: true });
    return found.map(({ address }) => address).slice(0, MAX_ADDRESSES);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOTFOUND" ? [] : undefined;
  }
}
