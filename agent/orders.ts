import type { z } from "zod";
import type { RefusalReason } from "#contracts/agent.ts";
import type { MacAddress } from "#contracts/mac-address.ts";
import {
  AgentOrder,
  type PowerCancelOrder,
  type PowerOrder,
  type ProbeOrder,
  type TimeOrder,
  WakeOrder,
  WatchList,
} from "#contracts/order.ts";
import { topics } from "#contracts/topics.ts";
import type { Message } from "./connection.ts";
import type { HubClock } from "./hub-clock.ts";
import type { Log } from "./log.ts";
import { doubtsClock, isSuperseded, NewestWakes, refusalOf, SeenOrders } from "./orders.rules.ts";
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
  /** A power order with a good signature for this agent; it is to be obeyed where `refusal` is undefined. */
  power(order: PowerOrder, refusal: RefusalReason | undefined): void;
  /** However old: not to go down is never wrong, and it names the one order that it takes back. */
  powerCancel(order: PowerCancelOrder): void;
  /** A probe that is to be made. */
  probe(order: ProbeOrder): void;
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
  readonly #wakes = new NewestWakes();
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #complaints = 0;
  #complainedMs = -COMPLAIN_EVERY_MS;

  constructor(options: OrderInboxOptions) {
    this.#options = options;
  }

  /** When the hub issued the newest order to wake this device that was seen here, by its own clock. Milliseconds. */
  wokenAtMs(mac: MacAddress): number | undefined {
    return this.#wakes.of(mac);
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
    if (topics.clusterWake.match(topic) !== undefined) return this.#wake(topic, claims);
    if (topics.agentWatch.match(topic) !== undefined) return this.#watch(topic, claims);
    if (topics.agentOrder.match(topic) !== undefined) this.#order(topic, claims, receivedMs);
  }

  #wake(topic: string, claims: unknown): void {
    const order = this.#parse(WakeOrder, topic, claims);
    if (!order) return;
    const refusal = this.#refusalOf(order, topic);
    // whatever speaks against sending packets now, the hub did want these machines up; a time to come says nothing
    if (refusal !== "NOT_YET_VALID" && refusal !== "WRONG_AUDIENCE") this.#noteWakes(order);
    this.#options.handlers.wake(order, refusal);
  }

  #noteWakes({ iat, targets }: WakeOrder): void {
    const hubNowMs = this.#options.clock.now(performance.now());
    for (const { mac } of targets) this.#wakes.note(mac, iat * 1000, hubNowMs);
  }

  #watch(topic: string, claims: unknown): void {
    const list = this.#parse(WatchList, topic, claims);
    if (!list) return;
    if (list.aud !== topic) return this.#complain(topic, "A watch list for another agent was ignored");
    this.#options.handlers.watch(list);
  }

  #order(topic: string, claims: unknown, receivedMs: number): void {
    const { handlers } = this.#options;
    const order = this.#parse(AgentOrder, topic, claims);
    if (!order) return;
    if (order.aud !== topic) return this.#complain(topic, "An order was refused: WRONG_AUDIENCE");
    switch (order.type) {
      case "time":
        return handlers.time(order, receivedMs); // its nonce makes it fresh; the times in it are what is asked for
      case "power-cancel":
        return handlers.powerCancel(order);
      case "power":
        return handlers.power(order, this.#powerRefusalOf(order, topic));
      case "revoked":
      case "probe": {
        const refusal = this.#refusalOf(order, topic);
        if (refusal) return this.#complain(topic, `An order was refused: ${refusal}`);
        return order.type === "probe" ? handlers.probe(order) : handlers.revoked();
      }
    }
  }

  #powerRefusalOf(order: PowerOrder, topic: string): RefusalReason | undefined {
    const refusal = this.#refusalOf(order, topic);
    if (refusal) return refusal;
    const hubNowMs = this.#options.clock.now(performance.now()) ?? Infinity;
    return isSuperseded(order, this.#wakes.of(order.mac), hubNowMs) ? "SUPERSEDED" : undefined;
  }

  /** Judged by the time now, not by when it was received: this machine may have been suspended in between. */
  #refusalOf(order: WakeOrder | AgentOrder, topic: string): RefusalReason | undefined {
    const { clock, handlers } = this.#options;
    const refusal = refusalOf(order, {
      topic,
      hubNowMs: clock.now(performance.now()),
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
