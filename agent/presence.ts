import type { Heartbeat, Inventory, InventoryMessage } from "#contracts/agent.ts";
import type { Key } from "#contracts/key.ts";
import { HEARTBEAT_INTERVAL_SECONDS } from "#contracts/limits.ts";
import { type TopicOptions, topics } from "#contracts/topics.ts";
import { updateOf } from "#contracts/update.ts";
import type { Background } from "./background.ts";
import { readHostFigures } from "./host-figures.ts";
import type { HubClock } from "./hub-clock.ts";
import { takeInventory } from "./inventory.ts";
import { VERSION } from "./version.ts";

/** Interfaces are looked at this often; a change is published. */
const LOOK_EVERY_MS = 60_000;
/** Clocks of small machines drift by seconds a day, so the hub is asked for its time again. */
const ASK_TIME_EVERY_MS = 60 * 60_000;
/** Below the 2 s after which the hub sends a wake order again; a flood of refused orders asks no more often than this. */
const ASK_AGAIN_AFTER_MS = 1_500;

/** Where messages go out: one connection, or the link that has one most of the time. */
export interface Outlet {
  publish(topic: string, payload: string, options: TopicOptions): Promise<void>;
}

export interface PresenceOptions {
  readonly key: Key;
  readonly stateDir: string;
  readonly clock: HubClock;
  /** For what is due while time passes. */
  readonly link: Outlet;
  readonly inBackground: Background;
  readonly inventory?: () => Promise<Inventory>;
  readonly askAgainAfterMs?: number;
}

/** What an agent tells of itself: its status, its inventory with the question for the hub's time, its heartbeat. */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #startedAt = new Date();
  #sequence = 0;
  #isAnnounced = false;
  #publishedInventory = "";
  #askedMs = 0;
  #toldOffset = false;
  #timers: NodeJS.Timeout[] = [];
  #askSoon: NodeJS.Timeout | undefined;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  start(): void {
    const { link, inBackground } = this.#options;
    const beat = () => this.#whenAnnounced(() => this.beat(link));
    const follow = () => this.#whenAnnounced(() => this.followChanges());
    this.#timers = [
      setInterval(() => inBackground("a heartbeat", beat), HEARTBEAT_INTERVAL_SECONDS * 1000),
      setInterval(() => inBackground("a look at this machine", follow), LOOK_EVERY_MS),
    ];
  }

  stop(): void {
    this.shut();
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** There is no connection: nothing is said until the next one begins with all there is to say. */
  shut(): void {
    this.#isAnnounced = false;
    clearTimeout(this.#askSoon);
    this.#askSoon = undefined;
  }

  /** Publishes `online`. From then on a late Will of an earlier connection is corrected, and heartbeats go out. */
  async announce(outlet: Outlet): Promise<void> {
    const { key } = this.#options;
    this.#isAnnounced = true;
    await this.#publishStatus(outlet);
    await outlet.publish(topics.agentUpdate.for(key), JSON.stringify(updateOf(VERSION)), topics.agentUpdate.options);
  }

  /** Reads what everybody reads of this agent; `offline` is a Will that came late. */
  async ownStatusIs(status: string): Promise<void> {
    if (status === "offline") await this.#whenAnnounced(() => this.#publishStatus(this.#options.link));
  }

  /** Publishes what this machine is, with a fresh nonce for the hub to answer. */
  async publishInventory(outlet: Outlet): Promise<void> {
    const { key, clock } = this.#options;
    const inventory = await this.#takeInventory();
    this.#publishedInventory = JSON.stringify(inventory);
    this.#askedMs = performance.now();
    const message: InventoryMessage = { ...inventory, nonce: clock.ask(this.#askedMs) };
    await outlet.publish(topics.agentInventory.for(key), JSON.stringify(message), topics.agentInventory.options);
  }

  async beat(outlet: Outlet): Promise<void> {
    const { key, stateDir, clock } = this.#options;
    const figures = await readHostFigures(stateDir);
    const wallMs = Date.now();
    const hubMs = clock.now(performance.now());
    this.#sequence += 1;
    this.#toldOffset = hubMs !== undefined;
    const heartbeat: Heartbeat = {
      at: new Date(hubMs ?? wallMs).toISOString(),
      sequence: this.#sequence,
      startedAt: this.#startedAt.toISOString(),
      version: VERSION,
      ...figures,
      clockOffsetMs: hubMs === undefined ? null : Math.round(hubMs - wallMs),
    };
    await outlet.publish(topics.agentHeartbeat.for(key), JSON.stringify(heartbeat), topics.agentHeartbeat.options);
  }

  /** The hub told its time; the first heartbeat of a connection mostly comes before that. */
  async timeIsKnown(): Promise<void> {
    if (!this.#toldOffset) await this.#whenAnnounced(() => this.beat(this.#options.link));
  }

  /** Asks for the hub's time anew: at once, or where it was asked a moment ago, when that is a while ago. */
  askTimeAnew(): void {
    const { link, inBackground, askAgainAfterMs = ASK_AGAIN_AFTER_MS } = this.#options;
    if (this.#askSoon || !this.#isAnnounced) return;
    const dueInMs = Math.max(0, this.#askedMs + askAgainAfterMs - performance.now());
    this.#askSoon = setTimeout(() => {
      this.#askSoon = undefined;
      inBackground("asking for the hub's time", () => this.publishInventory(link));
    }, dueInMs);
  }

  /** Publishes the inventory where it changed, and asks for the hub's time where that is due. */
  async followChanges(): Promise<void> {
    const nowMs = performance.now();
    const timeIsDue = nowMs - this.#askedMs >= ASK_TIME_EVERY_MS || this.#options.clock.now(nowMs) === undefined;
    if (timeIsDue || JSON.stringify(await this.#takeInventory()) !== this.#publishedInventory)
      await this.publishInventory(this.#options.link);
  }

  #takeInventory(): Promise<Inventory> {
    return (this.#options.inventory ?? takeInventory)();
  }

  async #publishStatus(outlet: Outlet): Promise<void> {
    const { key } = this.#options;
    await outlet.publish(topics.agentStatus.for(key), "online", topics.agentStatus.options);
  }

  async #whenAnnounced(act: () => Promise<void>): Promise<void> {
    if (this.#isAnnounced) await act();
  }
}
