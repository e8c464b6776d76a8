import { TRANSACTION_LIFETIME_MS } from "#contracts/limits.ts";

/** The most transactions, and the most answers in them, that are remembered; beyond it the oldest go. */
const MAX_TRANSACTIONS = 10_000;
const MAX_ANSWERS = 100_000;

interface Remembered<Answer> {
  readonly atMs: number;
  readonly answers: readonly Answer[];
  readonly size: number;
}

/**
 * What was answered to whom, so that a repeated transaction repeats the answer instead of the act.
 *
 * A transaction is unique per client for ten minutes.
 */
export class Transactions<Answer> {
  readonly #remembered = new Map<string, Remembered<Answer>>();
  readonly #capacity: number;
  readonly #sizeOf: (answer: Answer) => number;
  #size = 0;

  /** @param bounds what all answers may take together, and what one takes; without it each counts as one. */
  constructor({ capacity, sizeOf }: { readonly capacity?: number; readonly sizeOf?: (answer: Answer) => number } = {}) {
    this.#capacity = capacity ?? MAX_ANSWERS;
    this.#sizeOf = sizeOf ?? (() => 1);
  }

  find(client: string, transaction: string, nowMs: number): readonly Answer[] | undefined {
    const found = this.#remembered.get(keyOf(client, transaction));
    return found && nowMs - found.atMs < TRANSACTION_LIFETIME_MS ? found.answers : undefined;
  }

  remember(client: string, transaction: string, answers: readonly Answer[], nowMs: number): void {
    this.forget(client, transaction);
    const size = answers.reduce((sum, answer) => sum + this.#sizeOf(answer), 0);
    this.#remembered.set(keyOf(client, transaction), { atMs: nowMs, answers, size });
    this.#size += size;
    for (const [key, { atMs }] of this.#remembered) {
      const fits = this.#remembered.size <= MAX_TRANSACTIONS && this.#size <= this.#capacity;
      if (fits && nowMs - atMs < TRANSACTION_LIFETIME_MS) return;
      this.#forget(key);
    }
  }

  forget(client: string, transaction: string): void {
    this.#forget(keyOf(client, transaction));
  }

  #forget(key: string): void {
    this.#size -= this.#remembered.get(key)?.size ?? 0;
    this.#remembered.delete(key);
  }
}

function keyOf(client: string, transaction: string): string {
  return JSON.stringify([client, transaction]);
}
