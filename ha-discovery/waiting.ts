interface Group {
  readonly topics: Set<string>;
  readonly resolve: () => void;
}

/** Those who wait until topics were worked on. */
export class Waiting {
  readonly #groups = new Set<Group>();

  /** Resolves when all are done, or after a while. @returns those that are not. */
  async for(topics: Iterable<string>, patienceMs: number): Promise<ReadonlySet<string>> {
    const left = new Set(topics);
    if (left.size === 0) return left;
    await new Promise<void>((resolve) => {
      const group: Group = {
        topics: left,
        resolve: () => (clearTimeout(timer), this.#groups.delete(group), resolve()),
      };
      const timer = setTimeout(group.resolve, patienceMs);
      timer.unref();
      this.#groups.add(group);
    });
    return left;
  }

  done(topic: string): void {
    for (const { topics, resolve } of this.#groups) if (topics.delete(topic) && topics.size === 0) resolve();
  }

  /** Nothing more will be done. */
  close(): void {
    for (const { resolve } of this.#groups) resolve();
  }
}
