import type { Pace } from "#contracts/needs.ts";

export const ALL_AT_ONCE: Pace = { staggerMs: 0, atOnce: null };

/** What is under way in one cluster, and since when: so many at a time, and so long between two. */
export class ClusterTurns<Run extends { readonly isOver: boolean }> {
  readonly #underWay = new Set<Run>();
  #lastMs = Number.NEGATIVE_INFINITY;

  /** Whether one more may begin now; if so it has begun. */
  take(run: Run, { staggerMs, atOnce }: Pace, nowMs: number): boolean {
    for (const other of this.#underWay) if (other.isOver) this.#underWay.delete(other);
    if (nowMs - this.#lastMs < staggerMs) return false;
    if (atOnce !== null && this.#underWay.size >= atOnce) return false;
    this.#lastMs = nowMs;
    if (atOnce !== null) this.#underWay.add(run);
    return true;
  }
}

export function isUnpaced({ staggerMs, atOnce }: Pace): boolean {
  return staggerMs === 0 && atOnce === null;
}

/** What somebody waits for who waits for a turn. */
export function paceInWords({ staggerMs, atOnce }: Pace): string {
  const apart = staggerMs > 0 ? `they start ${staggerMs / 1_000} s apart` : null;
  const many = atOnce === null ? null : `${atOnce} at a time`;
  return `It waits for its turn in its cluster: ${[many, apart].filter((part) => part !== null).join(", ")}`;
}
