import { Worker } from "node:worker_threads";
import { MAX_IMPORTED_DEVICES } from "#contracts/api/imports.ts";
import { HubError } from "../kernel/errors.ts";
import { Turns } from "../kernel/turns.ts";
import type { Reading } from "./found.rules.ts";
import { type Source, readText } from "./read-text.ts";

/** Even the worst text of this length is read before anybody notices; a longer one gets a thread of its own. Characters. */
const SHORT_TEXT = 8 * 1024;
/** Honest texts of the largest size take a second or two on a small machine. */
const PATIENCE_MS = 15_000;
const MAX_WAITING = 20;
const LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 };

/** Reads texts, one after the other. */
export class Reader {
  readonly #turns = new Turns();
  #waiting = 0;

  /** @throws HubError INVALID_INPUT (text) for too many devices or one that cannot be read, TOO_MANY_REQUESTS */
  async read(source: Source): Promise<Reading> {
    if (this.#waiting >= MAX_WAITING)
      throw new HubError("TOO_MANY_REQUESTS", "Others import just now; try again in a moment", {
        retryAfterSeconds: 5,
      });
    this.#waiting++;
    try {
      const reading = await this.#turns.take(() => readAnyhow(source));
      if (reading.found.length > MAX_IMPORTED_DEVICES)
        throw new HubError("INVALID_INPUT", `holds more than ${MAX_IMPORTED_DEVICES} devices`, { field: "text" });
      return reading;
    } finally {
      this.#waiting--;
    }
  }
}

async function readAnyhow(source: Source): Promise<Reading> {
  try {
    return await (source.text.length <= SHORT_TEXT ? readText(source) : readAside(source));
  } catch (cause) {
    throw new HubError("INVALID_INPUT", "cannot be read; import a part of it", { field: "text", cause });
  }
}

async function readAside(source: Source): Promise<Reading> {
  const worker = new Worker(new URL("./reading-thread.ts", import.meta.url), {
    workerData: source,
    resourceLimits: LIMITS,
    execArgv: [], // flags of the hub's own start are none of the thread's
  });
  const { promise, resolve, reject } = Promise.withResolvers<Reading>();
  const timer = setTimeout(() => reject(new Error(`nothing was read within ${PATIENCE_MS} ms`)), PATIENCE_MS);
  worker.once("message", resolve);
  worker.once("error", reject);
  worker.once("exit", () => reject(new Error("the thread ended before it had read")));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
