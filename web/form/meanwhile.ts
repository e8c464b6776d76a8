import { CallError } from "../api/call.ts";

/** What a form holds, and which of its fields people write words into. */
interface Edited<Fields> {
  /** As the form showed it. */
  readonly before: Fields;
  /** As somebody wants it. */
  readonly next: Fields;
  /** As others left it. */
  readonly now: Fields;
  readonly texts: readonly (keyof Fields & string)[];
}

/**
 * Keeps two people who edit the same thing from replacing each other's words unseen: of a field that both changed, who saves
 * later is told once what it became, and saves again if that is meant.
 */
export class Meanwhile {
  readonly #told = new Set<string>();

  /** @throws CallError naming the fields that others changed, too, the first time. */
  check<Fields>({ before, next, now, texts }: Edited<Fields>): void {
    const news = texts.filter((name) => {
      const [was, is, wanted] = [before[name], now[name], next[name]].map((value) => JSON.stringify(value));
      return was !== is && was !== wanted && is !== wanted && !this.#told.has(`${name} ${is}`);
    });
    if (news.length === 0) return;
    for (const name of news) this.#told.add(`${name} ${JSON.stringify(now[name])}`);
    throw new CallError(
      "CONFLICT",
      "Somebody else changed the same meanwhile. Save again to replace it.",
      news.map((path) => ({ path, message: sentence(now[path]) })),
    );
  }
}

function sentence(now: unknown): string {
  const words = Array.isArray(now) ? now.join(", ") : now;
  const what = typeof words === "string" ? `wrote “${words}” here` : "changed this";
  return `Somebody else ${what} meanwhile. Save again to replace it`;
}
