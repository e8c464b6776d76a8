import type { z } from "zod";
import type { RefusalReason } from "#contracts/agent.ts";
import { AgentOrder, type TimeOrder, WakeOrder, WatchList } from "#contracts/order.ts";
import { topics } from "#contracts/topics.ts";
import type { Message } from "./connection.ts";
import type { HubClock } from "./hub-clock.ts";
import type { Log } from "./log.ts";
import { doubtsClock, refusalOf, SeenOrders } from "./orders.rules.ts";
import { looksSigned, type OpenSigned } from "./signature.ts";

/** Signed messages that wait to be checked; more than this can only be a flood. */
const MAX_WAITING = 1_000;
/** A flood of forgeries gets one log line in this time. */
const COMPLAIN_EVERY_MS = 10_000;

export interface OrderHandlers {
  /** A wake order with a good signature; it is to be obeyed where `refusal` is undefined. */
  wake(order: WakeOrder, refusal: RefusalReason | undefined): void;
  time(order: TimeOrder, receivedMs: number): void;
  /** An order with a good signature does not fit the hub's time as it is known here. */
  clockInDoubt(): void;
  revoked(): void;
  watch(list: WatchList): void;
}

export interface OrderInboxOptions {
  readonly open: OpenSigned;
  readonly clock: HubClock;
  readonly handlers: OrderHandlers;
  readonly log: Log;
}

/** Checks what comes on the topics of orders and hands over what the hub has signed, in the order it came. */
export class OrderInbox {
  readonly #options: OrderInboxOptions;
  readonly #seen = new SeenOrders();
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #complaints = 0;
  #complainedMs = -COMPLAIN_EVERY_MS;

  constructor(options: OrderInboxOptions) {
    this.#options = options;
  }

  take({ topic, payload, retained }: Message, receivedMs: number): void {
    const isWake = topics.clusterWake.match(topic) !== undefined;
    const isWatch = topics.agentWatch.match(topic) !== undefined;
    const text = payload.toString("utf8");
    if (retained && !isWatch) return this.#complain(topic, "An order must never be retained; it was ignored");
    if (!looksSigned(text)) {
      // wake requests of other clients share the topic of wake orders, and an empty watch list was only cleared
      if (isWake || text === "") return;
      return this.#complain(topic, "A message that is not signed was ignored");
    }
    if (this.#waiting >= MAX_WAITING) return this.#complain(topic, "Too many orders at once; one was dropped");
    this.#waiting += 1;
    this.#last = this.#checkAfter(this.#last, topic, text, receivedMs);
  }

  async #checkAfter(earlier: Promise<void>, topic: string, jws: string, receivedMs: number): Promise<void> {
    await earlier;
    this.#waiting -= 1;
    try {
      this.#dispatch(topic, await this.#options.open(jws), receivedMs);
    } catch (error) {
      this.#complain(topic, `A message was ignored: ${(error as Error).message}`);
    }
  }

  #dispatch(topic: string, claims: unknown, receivedMs: number): void {
    if (topics.clusterWake.match(topic) !== undefined) return this.#wake(topic, claims, receivedMs);
    if (topics.agentWatch.match(topic) !== undefined) return this.#watch(topic, claims);
    if (topics.agentOrder.match(topic) !== undefined) this.#order(topic, claims, receivedMs);
  }

  #wake(topic: string, claims: unknown, receivedMs: number): void {
    const order = this.#parse(WakeOrder, topic, claims);
    if (order) this.#options.handlers.wake(order, this.#refusalOf(order, topic, receivedMs));
  }

  #watch(topic: string, claims: unknown): void {
    const list = this.#parse(WatchList, topic, claims);
    if (!list) return;
    if (list.aud !== topic) return this.#complain(topic, "A watch list for another agent was ignored");
    this.#options.handlers.watch(list);
  }

  #order(topic: string, claims: unknown, receivedMs: number): void {
    const order = this.#parse(AgentOrder, topic, claims);
    if (!order) return;
    if (order.type === "time") {
      // its nonce makes it fresh; the times in it are what is asked for
      if (order.aud !== topic) return this.#complain(topic, "An order for another agent was ignored");
      return this.#options.handlers.time(order, receivedMs);
    }
    const refusal = this.#refusalOf(order, topic, receivedMs);
    if (refusal) return this.#complain(topic, `An order was refused: ${refusal}`);
    this.#options.handlers.revoked();
  }

  #refusalOf(order: WakeOrder | AgentOrder, topic: string, receivedMs: number): RefusalReason | undefined {
    const { clock, handlers } = this.#options;
    const refusal = refusalOf(order, {
      topic,
      hubNowMs: clock.now(receivedMs),
      toldAtMs: clock.answerIssuedAt,
      seen: this.#seen,
    });
    if (doubtsClock(refusal)) handlers.clockInDoubt();
    return refusal;
  }

  #parse<Schema extends z.ZodType>(schema: Schema, topic: string, claims: unknown): z.infer<Schema> | undefined {
    const parsed = schema.safeParse(claims);
    if (parsed.success) return parsed.data;
    this.#complain(topic, "A signed order that this version does not understand was ignored");
    return undefined;
  }

  #complain(topic: string, sentence: string): void {
    const nowMs = performance.now();
    this.#complaints += 1;
    if (nowMs - this.#complainedMs < COMPLAIN_EVERY_MS) return;
    this.#options.log.warn({ topic, messages: this.#complaints }, sentence);
    this.#complaints = 0;
    this.#complainedMs = nowMs;
  }
}
