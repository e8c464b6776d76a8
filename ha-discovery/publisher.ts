import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { type DiscoveredThing, type DiscoveryRef, discoveryTopics } from "#contracts/discovery.ts";
import { type Surroundings, configOf } from "./config.ts";
import type { DiscoveredThings, DiscoveryLink, PublishedConfigs, RetainedStates, Sender } from "./hub.ts";
import { objectIdOf, refOf } from "./object-id.ts";
import { PacedQueue } from "./paced-queue.ts";

export interface PublisherOptions {
  readonly prefix: string;
  readonly link: DiscoveryLink;
  readonly things: DiscoveredThings;
  readonly published: PublishedConfigs;
  readonly states: RetainedStates;
  readonly surroundings: Surroundings;
  readonly paceMs: number;
  readonly log: Logger;
}

/** Parents first: Home Assistant makes an empty device for one that it does not know yet. What is to go, goes last. */
const RANKS: Readonly<Record<DiscoveryRef["type"], number>> = { hub: 0, device: 1, cluster: 2, agent: 3 };
const LAST = 4;

/**
 * The embedded broker holds all configs in memory, some 3 KiB each, and Home Assistant is not made for more. Nor are more
 * remembered that were taken back, where no Home Assistant ever comes.
 */
const MAX_CONFIGS = 10_000;

/** A change that the database could not take is tried again after so long. */
const HIDE_AGAIN_MS = 10_000;

/**
 * Publishes one retained config for each thing, only where it differs from what the broker has, and takes back the configs of
 * things that are gone. A config that a person deleted in Home Assistant stays away.
 *
 * A broker keeps no empty message, so a Home Assistant that is away does not hear that something is taken back. It is taken
 * back once more after the next birth, and noted as published until then, over restarts too.
 */
export class DiscoveryPublisher {
  readonly #options: PublisherOptions;
  readonly #config: ReturnType<typeof discoveryTopics>["config"];
  readonly #queue: PacedQueue;
  /** The hash of what the broker has on a topic, as far as it concerns us. */
  readonly #atBroker = new Map<string, string>();
  readonly #failed = new Set<string>();
  /** Taken back, or to be; Home Assistant may still know them. */
  readonly #parting = new Set<string>();
  /** Those of them that are being taken back after a birth. Once the broker has it, they are forgotten. */
  readonly #lastTime = new Set<string>();
  /** Deleted in Home Assistant, and not noted down yet. */
  readonly #dismissed = new Set<string>();
  /** Topics that are to be published although nothing changed, and who waits for it. */
  readonly #asked = new Set<string>();
  #askers: (() => void)[] = [];
  readonly #end = new AbortController();
  #isFull = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#config = discoveryTopics(options.prefix).config;
    this.#queue = new PacedQueue({ ranks: LAST + 1, paceMs: options.paceMs, work: (topic) => this.#work(topic) });
    options.things.onChange((ref) => this.#add(this.#topicOf(ref)));
  }

  /** What the broker has when it is there again is not known: nothing is published until `compare`, as at first. */
  disconnected(): void {
    this.#queue.pause();
    this.#atBroker.clear();
    this.#lastTime.clear(); // the break may have been Home Assistant's too, which then gives birth again
  }

  /** Takes note of a config that the broker has. Of others' only what stands where one of ours belongs. */
  found(topic: string, payload: Buffer, isOurs: boolean): void {
    if (!isOurs && !this.#thingAt(topic)) return;
    this.#atBroker.set(topic, hashOf(payload));
    if (!this.#thingAt(topic)) this.#add(topic); // a ghost, also when it comes late
  }

  /** Brings the broker up to date: what is missing or different is published, what is ours and has no thing is cleared. */
  compare(): void {
    this.#findParting();
    for (const topic of this.#parting) this.#add(topic);
    for (const ref of this.#options.things.all()) this.#add(this.#topicOf(ref));
    this.#queue.resume();
  }

  /** A person deleted the thing in Home Assistant. */
  deletedThere(topic: string, sender: Sender): void {
    this.#atBroker.delete(topic);
    const thing = this.#thingAt(topic);
    if (!thing || this.#dismissed.has(topic)) return;
    this.#options.log.info({ thing: thing.name }, "deleted in Home Assistant; it is not shown there any more");
    if (thing.type === "hub") return this.#options.published.put(topic, { siteId: thing.siteId, hash: null });
    this.#options.published.remove(topic);
    this.#dismissed.add(topic);
    void this.#hide(thing, topic, sender);
  }

  /**
   * Publishes everything again, also what was deleted in Home Assistant and has no switch of its own to come back.
   *
   * @param siteId whose things; null = those of every site.
   */
  async publishAll(siteId: string | null): Promise<{ configs: number }> {
    const { things, published } = this.#options;
    const topics = [...things.all(siteId)].map((ref) => this.#topicOf(ref));
    for (const topic of topics) {
      if (published.get(topic)?.hash === null) published.remove(topic);
      this.#asked.add(topic);
      this.#add(topic);
    }
    if (this.#asked.size > 0) await new Promise<void>((resolve) => this.#askers.push(resolve));
    return { configs: topics.filter((topic) => published.get(topic)).length };
  }

  /**
   * Tries once more what the broker did not take, and takes back for the last time what Home Assistant may have missed.
   *
   * @param sites whose Home Assistants were born; null = of any.
   */
  answerBirth(sites: ReadonlySet<string | null>): void {
    for (const topic of this.#failed) this.#add(topic);
    this.#findParting(); // a birth may come before the first comparison
    for (const topic of this.#parting) {
      const site = this.#siteOf(topic);
      if (site !== null && !sites.has(null) && !sites.has(site)) continue;
      this.#lastTime.add(topic);
      this.#add(topic);
    }
  }

  close(): void {
    this.#end.abort();
    this.#queue.close();
  }

  #topicOf(ref: DiscoveryRef): string {
    return this.#config.for(objectIdOf(ref));
  }

  #refAt(topic: string): DiscoveryRef | undefined {
    const objectId = this.#config.match(topic); // undefined under an earlier prefix
    return objectId === undefined ? undefined : refOf(objectId);
  }

  /** Whose clients read what stands on a topic; null = those of every site. */
  #siteOf(topic: string): string | null {
    const isHub = this.#refAt(topic)?.type === "hub";
    return isHub ? null : (this.#options.published.get(topic)?.siteId ?? null);
  }

  #thingAt(topic: string) {
    const ref = this.#refAt(topic);
    return ref && this.#options.things.of(ref);
  }

  #add(topic: string): void {
    const ref = this.#refAt(topic);
    this.#queue.add(topic, ref ? RANKS[ref.type] : LAST);
  }

  #findParting(): void {
    for (const [topic, { hash }] of this.#options.published)
      if (hash !== null && !this.#thingAt(topic)) this.#parting.add(topic);
  }

  #work(topic: string): Promise<void> | undefined {
    if (this.#thingAt(topic)) this.#settle(topic);
    const payload = this.#payloadFor(topic);
    if (payload === undefined) return this.#answered(topic);
    const work = payload === "" ? this.#clear(topic) : this.#publish(topic, payload);
    return work.finally(() => this.#answered(topic));
  }

  /** What has to be published on a topic now: a config, nothing (`""`) to clear it, or undefined when all is well. */
  #payloadFor(topic: string): string | undefined {
    const { published, surroundings } = this.#options;
    const thing = this.#thingAt(topic);
    const before = published.get(topic);
    if (!thing) {
      const mayStand = this.#atBroker.has(topic) || this.#lastTime.has(topic) || typeof before?.hash === "string";
      return mayStand ? "" : undefined;
    }
    if (before?.hash === null || this.#dismissed.has(topic) || this.#isBeyondBound(before)) return undefined;
    const payload = JSON.stringify(configOf(thing, surroundings));
    const hash = hashOf(payload);
    if (this.#asked.has(topic) || this.#atBroker.get(topic) !== hash) return payload;
    // the broker kept what a killed hub had no time to note down
    if (before?.hash !== hash) published.put(topic, { siteId: thing.siteId, hash });
    return undefined;
  }

  async #publish(topic: string, payload: string): Promise<void> {
    const { link, published, states, log } = this.#options;
    const thing = this.#thingAt(topic);
    if (!thing) return;
    try {
      await link.publish(topic, payload, { ...this.#config.options, siteId: readersOf(thing) });
    } catch (error) {
      this.#atBroker.delete(topic);
      this.#failed.add(topic);
      return log.warn({ err: error, topic }, "a config for Home Assistant could not be published");
    }
    const hash = hashOf(payload);
    this.#failed.delete(topic);
    this.#atBroker.set(topic, hash);
    published.put(topic, { siteId: thing.siteId, hash });
    states.publishAgain(thing); // Home Assistant subscribes only after it has read the config
  }

  async #clear(topic: string): Promise<void> {
    const { link, published, log } = this.#options;
    const isLast = this.#lastTime.has(topic);
    this.#parting.add(topic);
    try {
      await link.publish(topic, "", { ...this.#config.options, siteId: this.#siteOf(topic) });
    } catch (error) {
      this.#failed.add(topic);
      return log.warn({ err: error, topic }, "a config could not be taken back from Home Assistant");
    }
    this.#failed.delete(topic);
    this.#atBroker.delete(topic);
    const isHeard = isLast && this.#lastTime.has(topic); // no break came between
    if (!isHeard && this.#parting.size <= MAX_CONFIGS) return;
    this.#settle(topic);
    published.remove(topic);
  }

  /** The thing is there, or Home Assistant has heard that it is not. */
  #settle(topic: string): void {
    this.#parting.delete(topic);
    this.#lastTime.delete(topic);
  }

  #answered(topic: string): undefined {
    if (!this.#asked.delete(topic) || this.#asked.size > 0) return;
    for (const resolve of this.#askers.splice(0)) resolve();
  }

  #isBeyondBound(before: unknown): boolean {
    if (before !== undefined || this.#options.published.size - this.#parting.size < MAX_CONFIGS) return false;
    if (!this.#isFull) this.#options.log.warn(`Home Assistant is told of ${MAX_CONFIGS} things and of no more`);
    this.#isFull = true;
    return true;
  }

  async #hide(ref: DiscoveryRef, topic: string, sender: Sender): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      try {
        await this.#options.things.hide(ref, sender);
        break;
      } catch (error) {
        this.#options.log.warn({ err: error, topic }, "what was deleted in Home Assistant could not be noted down yet");
        await delay(HIDE_AGAIN_MS, undefined, { signal, ref: false }).catch(() => {}); // the hub ends
      }
    }
    this.#dismissed.delete(topic);
  }
}

/** Everything names the hub, so all read of it. */
function readersOf({ type, siteId }: DiscoveredThing): string | null {
  return type === "hub" ? null : siteId;
}

function hashOf(payload: string | Buffer): string {
  return createHash("sha256").update(payload).digest("base64url");
}
