import { TRANSACTION_LIFETIME_MS } from "#contracts/limits.ts";

/** The most transactions, and the most answers in them, that are remembered; beyond it the oldest go. */
const MAX_TRANSACTIONS = 10_000;
const MAX_ANSWERS = 100_000;

/**
 * What was answered to whom, so that a repeated transaction repeats the answer instead of the act.
 *
 * A transaction is unique per client for ten minutes.
 */
export class Transactions<Answer> {
  readonly #remembered = new Map<string, { readonly atMs: number; readonly answers: readonly Answer[] }>();
  #answers = 0;

  find(client: string, transaction: string, nowMs: number): readonly Answer[] | undefined {
    const found = this.#remembered.get(keyOf(client, transaction));
    return found && nowMs - found.atMs < TRANSACTION_LIFETIME_MS ? found.answers : undefined;
  }

  remember(client: string, transaction: string, answers: readonly Answer[], nowMs: number): void {
    this.#forget(keyOf(client, transaction));
    this.#remembered.set(keyOf(client, transaction), { atMs: nowMs, answers });
    this.#answers += answers.length;
    for (const [key, { atMs }] of this.#remembered) {
      const fits = this.#remembered.size <= MAX_TRANSACTIONS && this.#answers <= MAX_ANSWERS;
      if (fits && nowMs - atMs < TRANSACTION_LIFETIME_MS) return;
      this.#forget(key);
    }
  }

  #forget(key: string): void {
    this.#answers -= this.#remembered.get(key)?.answers.length ?? 0;
    this.#remembered.delete(key);
  }
}

function keyOf(client: string, transaction: string): string {
  return JSON.stringify([client, transaction]);
}
