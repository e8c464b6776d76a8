import { randomBytes } from "node:crypto";
import type { TimeOrder } from "#contracts/order.ts";

/** A later answer says too little about the hub's time. Milliseconds. */
const ANSWER_WITHIN_MS = 10_000;
/** More than a correction by NTP explains. Milliseconds. */
const JUMP_MS = 5_000;

/**
 * The hub's time, as far as this agent knows it.
 *
 * It asks with a nonce and the hub answers with its signed time; from then on the monotonic clock counts, so that nobody
 * who turns this machine's clock revives an old order. `monotonicMs` is always `performance.now()`.
 *
 * On Linux and macOS that clock stands still while the machine is suspended, so after a suspend old orders would seem fresh.
 * The clock that people set runs on: where it went another way than the monotonic one, the hub's time is not known any more.
 */
export class HubClock {
  readonly #wall: () => number;
  #question: { readonly nonce: string; readonly askedMs: number; readonly wallLeadMs: number } | undefined;
  #hubTimeAtZero: number | undefined;
  #wallLeadMs = 0;
  #answerIssuedAt = 0;

  /** @param wall the clock that people set: milliseconds since 1970 UTC. */
  constructor(wall: () => number = Date.now) {
    this.#wall = wall;
  }

  /** A fresh nonce for the inventory; answers to older ones no longer count. */
  ask(monotonicMs: number): string {
    const nonce = randomBytes(24).toString("base64url");
    this.#question = { nonce, askedMs: monotonicMs, wallLeadMs: this.#wall() - monotonicMs };
    return nonce;
  }

  /**
   * Takes the hub's answer in place of all earlier ones, even where it is earlier: the hub's clock may have been set back,
   * and its nonce shows that the answer is fresh. Assumes that it was half the round trip on its way; false when it
   * answers nothing we asked.
   */
  answer(order: Pick<TimeOrder, "nonce" | "iat">, receivedMs: number): boolean {
    const question = this.#question;
    if (question?.nonce !== order.nonce) return false;
    this.#question = undefined;
    const roundTripMs = receivedMs - question.askedMs;
    if (roundTripMs > ANSWER_WITHIN_MS) return false;
    this.#answerIssuedAt = order.iat * 1000;
    this.#wallLeadMs = question.wallLeadMs; // of then, so that a suspend since the question tells
    this.#hubTimeAtZero = this.#answerIssuedAt + roundTripMs / 2 - receivedMs;
    return true;
  }

  /** A new connection: until the hub has answered on it, no order can be judged. */
  forget(): void {
    this.#question = undefined;
    this.#hubTimeAtZero = undefined;
  }

  /** The hub's time in milliseconds since 1970 UTC; undefined before it answered, and after a suspend until it answers again. */
  now(monotonicMs: number): number | undefined {
    if (this.#hubTimeAtZero === undefined) return undefined;
    const jumpMs = this.#wall() - monotonicMs - this.#wallLeadMs;
    return Math.abs(jumpMs) > JUMP_MS ? undefined : this.#hubTimeAtZero + monotonicMs;
  }

  /** When the hub issued the answer, by its own clock. Orders from before it may be replays of what we have forgotten. */
  get answerIssuedAt(): number {
    return this.#answerIssuedAt;
  }
}
