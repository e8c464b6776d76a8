import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
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

/**
 * The neighbour table as it is now, or soon after.
 *
 * Many probes end at the same time: those that ask while one reading runs share the next, since the running one may
 * have missed what their probe brought about. Empty where the table cannot be read.
 */
export class NeighbourTable {
  #running: Promise<Neighbour[]> | undefined;
  #next: Promise<Neighbour[]> | undefined;

  read(): Promise<Neighbour[]> {
    if (!this.#running) {
      this.#running = this.#readOnce();
      return this.#running;
    }
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      this.#running = this.#readOnce();
      return this.#running;
    });
    return this.#next;
  }

  async #readOnce(): Promise<Neighbour[]> {
    try {
      const read = await neighbourReader();
      return read ? await read() : [];
    } catch {
      return []; // one reading that failed contradicts nothing and proves nothing
    } finally {
      this.#running = undefined;
    }
  }
}
