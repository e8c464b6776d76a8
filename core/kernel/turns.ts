/** Runs work one after the other, so that what is held in memory follows the database in the same order. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {}); // whoever waits for the result hears of it
    return result;
  }
}
