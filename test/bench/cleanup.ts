type Closer = () => Promise<unknown> | void;

/** What is to be undone when a part is over or somebody breaks the benchmark off: the newest first. */
export class Cleanup {
  readonly #closers: Closer[] = [];

  add(closer: Closer): void {
    this.#closers.push(closer);
  }

  /** One that fails stops no other: each leaves something behind that is not wanted. */
  async run(): Promise<void> {
    for (const closer of this.#closers.splice(0).toReversed()) {
      try {
        await closer();
      } catch (error) {
        process.stderr.write(`# could not be cleaned up: ${(error as Error).message}\n`);
      }
    }
  }
}
