import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { allowedPins, mayAdministerNetwork, parseEntries, type Pin } from "./pins.rules.ts";

const run = promisify(execFile);
const OPTIONS = { timeout: 3_000, maxBuffer: 8 * 1024 * 1024 } as const;

let able: Promise<boolean> | undefined;

/** Whether this agent may pin neighbour entries here; found out once. */
export function canPin(): Promise<boolean> {
  return (able ??= findOut());
}

async function findOut(): Promise<boolean> {
  if (process.platform !== "linux") return false;
  try {
    const status = await readFile("/proc/self/status", "utf8");
    if (!mayAdministerNetwork(status, process.getuid?.() === 0)) return false;
    await run("ip", ["-json", "neigh"], OPTIONS);
    return true;
  } catch {
    return false; // no iproute2 here, or no right to it
  }
}

/** Takes the pins of one order away again. */
export type Unpin = () => Promise<void>;

/** Runs the lines of a batch of `ip`; one that fails does not stop the others. */
export type RunBatch = (lines: readonly string[]) => Promise<void>;

export interface NeighbourPinsOptions {
  readonly may?: () => Promise<boolean>;
  readonly readEntries?: () => Promise<string>;
  readonly runBatch?: RunBatch;
}

/** Neighbour entries that stand for machines which are off, for as long as packets to them are under way. */
export class NeighbourPins {
  readonly #may: () => Promise<boolean>;
  readonly #readEntries: () => Promise<string>;
  readonly #runBatch: RunBatch;
  /** How many orders hold each. */
  readonly #held = new Map<string, number>();

  constructor({ may = canPin, readEntries = readByIp, runBatch = runByIp }: NeighbourPinsOptions = {}) {
    this.#may = may;
    this.#readEntries = readEntries;
    this.#runBatch = runBatch;
  }

  /** Pins what may be pinned, in two calls however many there are. Never fails: without a pin the packet goes as it can. */
  async pin(wanted: readonly Pin[]): Promise<Unpin> {
    const done: Pin[] = [];
    try {
      if (wanted.length === 0 || !(await this.#may())) return nothing;
      const held = wanted.filter((pin) => this.#held.has(nameOf(pin)));
      const fresh = allowedPins(
        wanted.filter((pin) => !held.includes(pin)),
        parseEntries(await this.#readEntries()),
      );
      for (const pin of [...held, ...fresh]) this.#hold(pin);
      done.push(...held, ...fresh);
      // NOARP: valid without a question to the network, and cleared away by the system should nobody do it;
      // watching takes it for no sign of life
      await this.#batch(
        fresh.map((pin) => `neigh replace ${pin.address} lladdr ${pin.mac} dev ${pin.interface} nud noarp`),
      );
    } catch {
      // no `ip` any more, or no right: what is pinned is taken away below all the same
    }
    return () => this.#release(done);
  }

  #hold(pin: Pin): void {
    this.#held.set(nameOf(pin), (this.#held.get(nameOf(pin)) ?? 0) + 1);
  }

  async #release(pins: readonly Pin[]): Promise<void> {
    const last = pins.filter((pin) => {
      const left = (this.#held.get(nameOf(pin)) ?? 1) - 1;
      if (left > 0) this.#held.set(nameOf(pin), left);
      else this.#held.delete(nameOf(pin));
      return left === 0;
    });
    try {
      await this.#batch(last.map(({ address, interface: name }) => `neigh del ${address} dev ${name}`));
    } catch {
      // the system clears them away in time
    }
  }

  async #batch(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await this.#runBatch(lines);
  }
}

const nothing: Unpin = () => Promise.resolve();

function nameOf({ address, interface: name }: Pin): string {
  return `${address}%${name}`;
}

async function readByIp(): Promise<string> {
  return (await run("ip", ["-json", "neigh"], OPTIONS)).stdout;
}

async function runByIp(lines: readonly string[]): Promise<void> {
  const running = run("ip", ["-force", "-batch", "-"], OPTIONS);
  running.child.stdin?.on("error", () => {}); // it ended before it read all; its exit code tells
  running.child.stdin?.end(`${lines.join("\n")}\n`);
  await running;
}
