import { type HostFacts, NOTHING_KNOWN } from "./host-facts.ts";
import { readLinux } from "./linux.ts";
import { readMacos } from "./macos.ts";
import { readWindows } from "./windows.ts";

/** Asks the system that this runs on. Never rejects. */
export async function readHost(platform: NodeJS.Platform = process.platform): Promise<HostFacts> {
  try {
    if (platform === "linux") return await readLinux();
    if (platform === "win32") return await readWindows();
    if (platform === "darwin") return await readMacos();
    return NOTHING_KNOWN;
  } catch {
    return NOTHING_KNOWN; // an agent that knows nothing of its machine wakes others all the same
  }
}

/** Nobody waits longer for what the machine tells; what comes later is in the next inventory. */
const PATIENCE_MS = 3_000;
/** Tools are processes, which small machines feel. */
const FRESH_MS = 5 * 60_000;

export interface HostReaderOptions {
  readonly read?: () => Promise<HostFacts>;
  readonly patienceMs?: number;
  readonly freshMs?: number;
}

/** Remembers what the machine told, and asks again after a while or when its interfaces change. */
export class HostReader {
  readonly #read: () => Promise<HostFacts>;
  readonly #patienceMs: number;
  readonly #freshMs: number;
  #known: HostFacts = NOTHING_KNOWN;
  #about = "";
  #askedMs = -Infinity;
  #reading: Promise<HostFacts> | undefined;

  constructor({ read = readHost, patienceMs = PATIENCE_MS, freshMs = FRESH_MS }: HostReaderOptions = {}) {
    this.#read = read;
    this.#patienceMs = patienceMs;
    this.#freshMs = freshMs;
  }

  /** @param interfaces what is there besides, such as names and addresses: another text asks anew. */
  async facts(interfaces: string, nowMs = performance.now()): Promise<HostFacts> {
    if (!this.#reading && (interfaces !== this.#about || nowMs - this.#askedMs >= this.#freshMs)) {
      this.#about = interfaces;
      this.#askedMs = nowMs;
      this.#reading = this.#read().then((known) => {
        this.#reading = undefined;
        return (this.#known = known);
      });
    }
    return this.#reading ? await this.#inTime(this.#reading) : this.#known;
  }

  async #inTime(reading: Promise<HostFacts>): Promise<HostFacts> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<HostFacts>((resolve) => {
      timer = setTimeout(() => resolve(this.#known), this.#patienceMs);
    });
    try {
      return await Promise.race([reading, patience]);
    } finally {
      clearTimeout(timer);
    }
  }
}
