import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type Neighbour, parseArpCommand, parseIpNeighbours, parseProcArp } from "./neighbours.rules.ts";

const run = promisify(execFile);
const OPTIONS = { timeout: 3_000, windowsHide: true, maxBuffer: 8 * 1024 * 1024 } as const;

type Read = () => Promise<Neighbour[]>;

const byIp: Read = async () => parseIpNeighbours((await run("ip", ["-json", "neigh"], OPTIONS)).stdout);
const byProc: Read = async () => parseProcArp(await readFile("/proc/net/arp", "utf8"));
const byArp: Read = async () => parseArpCommand((await run("arp", ["-a"], OPTIONS)).stdout);

let reader: Promise<Read | undefined> | undefined;

/** The best way to the neighbour table that works here, found once; undefined where there is none. */
function neighbourReader(): Promise<Read | undefined> {
  reader ??= firstThatWorks(process.platform === "linux" ? [byIp, byProc] : [byArp]);
  return reader;
}

async function firstThatWorks(ways: readonly Read[]): Promise<Read | undefined> {
  for (const read of ways) {
    const works = await read().then(
      () => true,
      () => false, // not installed, or not allowed
    );
    if (works) return read;
  }
  return undefined;
}

/** Whether the table here tells which entries were just confirmed; without that, an entry is no evidence. */
export async function canSeeByArp(): Promise<boolean> {
  return (await neighbourReader()) === byIp;
}

/** Reading is a process of its own on most systems; this often is soon enough for people. */
const READ_EVERY_MS = 500;

export interface NeighbourTableOptions {
  readonly read?: Read;
  readonly readEveryMs?: number;
}

/** Reads the table in the best way that there is here; empty where there is none. */
const byBestWay: Read = async () => (await neighbourReader())?.() ?? [];

/**
 * The neighbour table as it is now, or soon after.
 *
 * Many probes end at the same time: those that ask within half a second of a reading share the next one, not the last,
 * which may have missed what their probe brought about. Empty where the table cannot be read.
 */
export class NeighbourTable {
  readonly #read: Read;
  readonly #readEveryMs: number;
  #startedMs = -Infinity;
  #next: Promise<readonly Neighbour[]> | undefined;

  constructor({ read = byBestWay, readEveryMs = READ_EVERY_MS }: NeighbourTableOptions = {}) {
    this.#read = read;
    this.#readEveryMs = readEveryMs;
  }

  read(): Promise<readonly Neighbour[]> {
    this.#next ??= this.#readWhenDue(this.#startedMs + this.#readEveryMs - performance.now());
    return this.#next;
  }

  async #readWhenDue(inMs: number): Promise<readonly Neighbour[]> {
    await sleep(Math.max(0, inMs)); // those that ask in the same moment share a reading, too
    this.#startedMs = performance.now();
    this.#next = undefined;
    return this.#read().catch(() => []); // one reading that failed contradicts nothing and proves nothing
  }
}
