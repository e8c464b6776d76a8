import { isResponseTopic, responsePrefix } from "#contracts/topics.ts";

/** Results of a wake come for as long. */
const LIFETIME_MS = 15 * 60_000;
const MAX_ROUTES = 1_000;
const MAX_TOPIC = 1_024;

/** Response topics of one broker, as the hub knows them on the other: nobody is answered on a topic that another reads. */
export class ResponseRoutes {
  readonly #routes = new Map<string, { readonly theirs: string; readonly untilMs: number }>();
  #last = 0;

  /** What the bridge reads of its own. */
  readonly filter = `${responsePrefix("mqtt")}+`;

  /** Nobody's: the hub refuses to answer there. */
  readonly nowhere = "nowhere";

  /** @param theirs without base. Where nobody may be answered it becomes a topic that the hub refuses. */
  to(theirs: string | undefined, nowMs: number): string | undefined {
    if (theirs === undefined) return undefined;
    if (!isResponseTopic(theirs) || theirs.length > MAX_TOPIC) return this.nowhere;
    for (const [ours, { untilMs }] of this.#routes)
      if (untilMs < nowMs || this.#routes.size >= MAX_ROUTES) this.#routes.delete(ours);
      else break; // the oldest come first
    const ours = `${responsePrefix("mqtt")}${++this.#last}`;
    this.#routes.set(ours, { theirs, untilMs: nowMs + LIFETIME_MS });
    return ours;
  }

  /** Where a response belongs; undefined for one that nobody waits for any more. */
  back(ours: string): string | undefined {
    return this.#routes.get(ours)?.theirs;
  }
}
