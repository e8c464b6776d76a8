import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { type Neighbour, parseIpTable, parseMonitorLine, type TableChange } from "./neighbours.rules.ts";

const run = promisify(execFile);
const READ_OPTIONS = { timeout: 3_000, windowsHide: true, maxBuffer: 8 * 1024 * 1024 } as const;

/** A monitor listens a moment after it was started; what it misses until then is read from the table. Milliseconds. */
const UNTIL_IT_LISTENS_MS = 200;
/** What it may have missed all the same, when very much happens at once, is read so often. */
const READ_EVERY_MS = 5 * 60_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 5 * 60_000;

export interface NeighbourChange {
  readonly address: string;
  readonly before: Neighbour | undefined;
  readonly after: Neighbour | undefined;
}

/**
 * The system's neighbour table in memory, kept true by one `ip monitor neigh` that runs all the time: it costs nothing to
 * ask, and the first ARP of a machine that comes up is known within milliseconds. Linux with iproute2 only; elsewhere, and
 * while the monitor cannot run, `isFollowing` is false.
 */
export class FollowedNeighbours {
  readonly #atAddress = new Map<string, Map<string, Neighbour>>();
  readonly #ofMac = new Map<string, Set<string>>();
  readonly #waiting = new Map<string, Set<(entry: Neighbour | undefined) => void>>();
  readonly #listeners: ((change: NeighbourChange) => void)[] = [];
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #isClosed = false;
  isFollowing = false;

  start(): void {
    if (process.platform === "linux") this.#follow();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#child?.kill();
  }

  onChange(listener: (change: NeighbourChange) => void): void {
    this.#listeners.push(listener);
  }

  at(address: string): Neighbour[] {
    return [...(this.#atAddress.get(address.toLowerCase())?.values() ?? [])];
  }

  /** Every entry with this MAC address. */
  withMac(mac: string): Neighbour[] {
    return [...(this.#ofMac.get(mac) ?? [])].flatMap((address) =>
      this.at(address).filter((entry) => entry.mac === mac),
    );
  }

  /** Resolves when the system has an answer for this address, or knows that there is none, or after so long. */
  async answer(address: string, withinMs: number): Promise<void> {
    const key = address.toLowerCase();
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting);
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        waiting.delete(check);
        if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
        resolve();
      };
      const check = (entry: Neighbour | undefined) => {
        if (entry?.state === "confirmed" || entry?.state === "unanswered") end();
      };
      const timer = setTimeout(end, withinMs);
      waiting.add(check);
    });
  }

  #follow(): void {
    const child = spawn("ip", ["monitor", "neigh"], { stdio: ["ignore", "pipe", "ignore"] });
    this.#child = child;
    const startedMs = performance.now();
    child.once("spawn", () => this.#readIn(UNTIL_IT_LISTENS_MS));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const change = parseMonitorLine(line);
      if (change) this.#take(change);
    });
    const ended = () => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.isFollowing = false;
      clearTimeout(this.#timer);
      if (this.#isClosed) return;
      if (performance.now() - startedMs > LONGEST_PAUSE_MS) this.#pauseMs = FIRST_PAUSE_MS;
      this.#timer = setTimeout(() => this.#follow(), this.#pauseMs);
      this.#timer.unref();
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    };
    child.once("error", ended); // there is no `ip` here
    child.once("close", ended);
  }

  #readIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#read().then(
        () => !this.#isClosed && this.#readIn(READ_EVERY_MS),
        () => this.#child?.kill(), // a monitor without the table that it starts from is of no use
      );
    }, ms);
    this.#timer.unref();
  }

  async #read(): Promise<void> {
    const { stdout } = await run("ip", ["-json", "neigh"], READ_OPTIONS);
    const table = parseIpTable(stdout);
    this.#atAddress.clear();
    this.#ofMac.clear();
    for (const { device, entry } of table) this.#put(entry.address.toLowerCase(), device, entry);
    this.isFollowing = this.#child !== undefined;
  }

  #take({ address, device, entry }: TableChange): void {
    const key = address.toLowerCase();
    const before = this.#atAddress.get(key)?.get(device);
    this.#remove(key, device);
    if (entry) this.#put(key, device, entry);
    const after = entry ?? undefined;
    for (const check of this.#waiting.get(key) ?? []) check(after);
    if (this.isFollowing) for (const listener of this.#listeners) listener({ address: key, before, after });
  }

  #put(address: string, device: string, entry: Neighbour): void {
    const here = this.#atAddress.get(address);
    if (here) here.set(device, entry);
    else this.#atAddress.set(address, new Map([[device, entry]]));
    if (entry.mac === null) return;
    const addresses = this.#ofMac.get(entry.mac);
    if (addresses) addresses.add(address);
    else this.#ofMac.set(entry.mac, new Set([address]));
  }

  #remove(address: string, device: string): void {
    const here = this.#atAddress.get(address);
    const entry = here?.get(device);
    if (!here || !entry) return;
    here.delete(device);
    if (here.size === 0) this.#atAddress.delete(address);
    if (entry.mac === null) return;
    if ([...here.values()].some(({ mac }) => mac === entry.mac)) return; // on another interface, too
    const addresses = this.#ofMac.get(entry.mac);
    addresses?.delete(address);
    if (addresses?.size === 0) this.#ofMac.delete(entry.mac);
  }
}
