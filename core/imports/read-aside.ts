import { Worker } from "node:worker_threads";
import { MAX_IMPORTED_DEVICES } from "#contracts/api/imports.ts";
import { HubError } from "../kernel/errors.ts";
import { Turns } from "../kernel/turns.ts";
import type { Reading } from "./found.rules.ts";
import type { Source } from "./reading.ts";

/** Honest texts of the largest size take a second or two on a small machine. */
const PATIENCE_MS = 15_000;
const MAX_WAITING = 20;
const LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 };

/** Reads texts in a thread of their own, one after the other. */
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
      const reading = await this.#turns.take(() => readAside(source));
      if (reading.found.length > MAX_IMPORTED_DEVICES)
        throw new HubError("INVALID_INPUT", `holds more than ${MAX_IMPORTED_DEVICES} devices`, { field: "text" });
      return reading;
    } finally {
      this.#waiting--;
    }
  }
}

async function readAside(source: Source): Promise<Reading> {
  // flags of the hub's own start are none of the thread's
  const worker = new Worker(new URL("./reading.ts", import.meta.url), {
    workerData: source,
    resourceLimits: LIMITS,
    execArgv: [],
  });
  const { promise, resolve, reject } = Promise.withResolvers<Reading>();
  const refuse = (why: string, cause?: unknown) => reject(new HubError("INVALID_INPUT", why, { field: "text", cause }));
  const timer = setTimeout(() => refuse("takes too long to read; import a part of it"), PATIENCE_MS);
  worker.once("message", resolve);
  worker.once("error", (error) => refuse("cannot be read; import a part of it", error));
  worker.once("exit", () => refuse("cannot be read; import a part of it"));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
