import type { Heartbeat, Inventory, InventoryMessage } from "#contracts/agent.ts";
import type { Key } from "#contracts/key.ts";
import { HEARTBEAT_INTERVAL_SECONDS } from "#contracts/limits.ts";
import { type TopicOptions, topics } from "#contracts/topics.ts";
import { readHostFigures } from "./host-figures.ts";
import type { HubClock } from "./hub-clock.ts";
import { takeInventory } from "./inventory.ts";
import { VERSION } from "./version.ts";

/** Interfaces are looked at this often; a change is published. */
const LOOK_EVERY_MS = 60_000;
/** Clocks of small machines drift by seconds a day, so the hub is asked for its time again. */
const ASK_TIME_EVERY_MS = 60 * 60_000;

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
  readonly inventory?: () => Promise<Inventory>;
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

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  start(): void {
    const { link } = this.#options;
    this.#timers = [
      setInterval(() => void this.#whenAnnounced(() => this.beat(link)), HEARTBEAT_INTERVAL_SECONDS * 1000),
      setInterval(() => void this.#whenAnnounced(() => this.followChanges()), LOOK_EVERY_MS),
    ];
  }

  stop(): void {
    this.#isAnnounced = false;
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** The connection is new: whatever was said on the last one may be gone. */
  forget(): void {
    this.#isAnnounced = false;
  }

  /** Publishes `online`. From then on a late Will of an earlier connection is corrected. */
  async announce(outlet: Outlet): Promise<void> {
    this.#isAnnounced = true;
    await this.#publishStatus(outlet);
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
