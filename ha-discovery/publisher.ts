import type { Logger } from "pino";
import { type DiscoveredThing, type DiscoveryRef, MIGRATE_DISCOVERY } from "#contracts/discovery.ts";
import { ConfigQueue } from "./config-queue.ts";
import { Dismissals } from "./dismissals.ts";
import { Farewells } from "./farewells.ts";
import type { Form } from "./form.ts";
import type { DiscoveredThings, DiscoveryLink, PublishedConfigs, RetainedStates, Sender } from "./hub.ts";
import { Shelf, hashOf } from "./shelf.ts";
import { type Knowledge, type Task, readersOf, siteOf, taskFor, wantedAt } from "./task.rules.ts";
import { Waiting } from "./waiting.ts";

export interface PublisherOptions {
  readonly form: Form;
  readonly link: DiscoveryLink;
  readonly things: DiscoveredThings;
  readonly published: PublishedConfigs;
  readonly states: RetainedStates;
  readonly paceMs: number;
  readonly settleMs: number;
  readonly log: Logger;
}

/**
 * The embedded broker holds all configs in memory, some 6 KiB for a thing, and Home Assistant is not made for more. Nor are more
 * remembered that were taken back, where no Home Assistant ever comes.
 */
const MAX_CONFIGS = { device: 10_000, single: 100_000 } as const;

/** Who asks waits no longer than this for a broker that does not answer. */
const PATIENCE_MS = 10_000;

/**
 * Publishes retained configs for each thing, only where they differ from what the broker has, and takes back what is not to
 * stand any more. A config that a person deleted in Home Assistant stays away.
 *
 * A broker keeps no empty message, so a Home Assistant that is away does not hear that something is taken back. It is taken
 * back once more after the next birth, and noted as published until then, over restarts too.
 *
 * What stands in the other format is handed over first: Home Assistant lets go of the entities and keeps what people set for
 * them. Then it needs a while, or it would skip parts of what follows.
 *
 * @see https://www.home-assistant.io/integrations/mqtt/#migration-from-single-component-to-device-based-discovery
 */
export class DiscoveryPublisher {
  readonly shelf = new Shelf();
  readonly failed = new Set<string>();
  readonly #options: PublisherOptions;
  readonly #queue: ConfigQueue;
  readonly #farewells: Farewells;
  readonly #dismissals: Dismissals;
  /** Topics that are to be published although nothing changed. */
  readonly #asked = new Set<string>();
  readonly #waiting = new Waiting();
  readonly #knowledge: Knowledge;
  #isFull = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#farewells = new Farewells(options.settleMs);
    this.#dismissals = new Dismissals(options.things, options.log);
    this.#knowledge = {
      ...options,
      shelf: this.shelf,
      farewells: this.#farewells,
      isDismissed: (thing) => this.#dismissals.has(thing),
      isAsked: (topic) => this.#asked.has(topic),
    };
    const paced = { paceMs: options.paceMs, work: (topic: string) => this.#work(topic) };
    this.#queue = new ConfigQueue(options.form, this.#farewells, paced);
    options.things.onChange((ref) => options.form.topicsOf(ref).forEach((topic) => this.#queue.add(topic)));
  }

  /** What the broker has when it is there again is not known: nothing is published until `compare`, as at first. */
  disconnected(): void {
    this.#queue.pause();
    this.shelf.clear();
    this.#farewells.disconnected();
  }

  /** Takes note of a config that the broker has. Of others' only what stands where one of ours belongs. */
  found(topic: string, payload: Buffer, isOurs: boolean): void {
    const isWanted = this.#wantedAt(topic) !== undefined;
    if (!isOurs && !isWanted) return;
    this.shelf.found(topic, hashOf(payload));
    if (!isWanted) this.#queue.add(topic); // a ghost, also when it comes late
  }

  /** Brings the broker up to date: what is missing or different is published, what is ours and not wanted is taken back. */
  compare(): void {
    const { things, form } = this.#options;
    this.#findUnwanted();
    for (const topic of this.#farewells.topics) this.#queue.add(topic);
    for (const ref of things.all()) for (const topic of form.topicsOf(ref)) this.#queue.add(topic);
    this.#queue.resume();
  }

  /** A person deleted the thing in Home Assistant. */
  deletedThere(topic: string, sender: Sender): void {
    const { published, form, log } = this.#options;
    this.shelf.delete(topic);
    const thing = this.#wantedAt(topic);
    if (!thing || this.#dismissals.has(thing) || published.get(topic)?.hash === null) return;
    log.info({ thing: thing.name }, "deleted in Home Assistant; it is not shown there any more");
    const note = { siteId: thing.siteId, hash: null, publishedAt: published.get(topic)?.publishedAt ?? null };
    for (const each of form.topicsOf(thing))
      if (thing.type !== "hub") published.remove(each);
      else if (this.#wantedAt(each)) published.put(each, note);
    if (thing.type !== "hub") void this.#dismissals.note(thing, sender);
  }

  /**
   * Publishes things again, changed or not, also what was deleted in Home Assistant and has no switch of its own to come back.
   *
   * @returns how many messages the broker took, and how many it did not take in time.
   */
  async send(refs: Iterable<DiscoveryRef>): Promise<{ configs: number; waiting: number }> {
    const { published, form } = this.#options;
    const topics = [...refs].flatMap((ref) => form.topicsOf(ref)).filter((topic) => this.#wantedAt(topic));
    for (const topic of topics) {
      if (published.get(topic)?.hash === null) published.remove(topic);
      this.#askFor(topic);
    }
    const left = await this.#waiting.for(topics, PATIENCE_MS);
    return { configs: topics.filter((topic) => !left.has(topic) && published.get(topic)).length, waiting: left.size };
  }

  /** Takes back for the last time what is not wanted and concerns a site. @returns their topics. */
  async cleanUp(siteId: string): Promise<string[]> {
    const { published } = this.#options;
    this.#findUnwanted();
    const topics = [...new Set([...this.#farewells.topics, ...this.shelf.topics])].filter((topic) => {
      const site = siteOf(topic, this.#options);
      return !this.#wantedAt(topic) && (site === null || site === siteId);
    });
    for (const [topic, { hash }] of published) if (hash === null && !this.#wantedAt(topic)) published.remove(topic);
    for (const topic of topics) this.#takeBackForGood(topic);
    const left = await this.#waiting.for(topics, PATIENCE_MS);
    const done = topics.filter((topic) => !left.has(topic));
    // whoever asks for it does not wait for another birth
    for (const topic of done) if (!this.failed.has(topic)) this.#forget(topic);
    return done;
  }

  /**
   * Tries once more what the broker did not take, and takes back for the last time what Home Assistant may have missed.
   *
   * @param sites whose Home Assistants were born; null = of any.
   */
  answerBirth(sites: ReadonlySet<string | null>): void {
    for (const topic of this.failed) this.#queue.add(topic);
    this.#findUnwanted(); // a birth may come before the first comparison
    for (const topic of this.#farewells.topics) {
      const site = siteOf(topic, this.#options);
      if (site === null || sites.has(null) || sites.has(site)) this.#takeBackForGood(topic);
    }
  }

  /** Whether something is still to be done on a topic. */
  isWaiting(topic: string): boolean {
    return this.#queue.has(topic);
  }

  close(): void {
    this.#dismissals.close();
    this.#farewells.close();
    this.#queue.close();
    this.#waiting.close();
  }

  #takeBackForGood(topic: string): void {
    const { form } = this.#options;
    this.#farewells.beginForGood(topic);
    this.#queue.add(topic);
    const place = form.placeOf(topic);
    if (!place || place.format === form.format || !this.#options.things.of(place.ref)) return;
    for (const own of form.topicsOf(place.ref)) this.#askFor(own);
  }

  #askFor(topic: string): void {
    this.#asked.add(topic);
    this.#queue.add(topic);
  }

  #wantedAt(topic: string): DiscoveredThing | undefined {
    return wantedAt(topic, this.#options);
  }

  #findUnwanted(): void {
    for (const [topic, { hash }] of this.#options.published)
      if (hash !== null && !this.#wantedAt(topic)) this.#farewells.begin(topic);
  }

  #work(topic: string): Promise<void> | undefined {
    const work = this.#carryOut(topic, taskFor(topic, this.#knowledge));
    return work ? work.finally(() => this.#worked(topic)) : this.#worked(topic);
  }

  #carryOut(topic: string, task: Task): Promise<void> | undefined {
    switch (task.type) {
      case "publish":
        this.#farewells.end(topic);
        return this.#isBeyondBound(topic) ? undefined : this.#publish(topic, task);
      case "note":
        return this.#note(topic, task);
      case "leave":
        this.#farewells.end(topic);
        return undefined;
      case "hand-over":
        return this.#handOver(topic, task.thing);
      case "rest":
        this.#farewells.noteHandOver(topic, "before");
        this.#queue.add(topic);
        return Promise.resolve(); // which is followed by a rest
      case "clear":
        return this.#clear(topic);
      case "nothing":
        return undefined;
    }
  }

  #note(topic: string, { thing, hash }: { thing: DiscoveredThing; hash: string }): undefined {
    const { published } = this.#options;
    this.#farewells.end(topic);
    this.shelf.put(topic, hash, thing);
    // the broker kept what a killed hub had no time to note down
    if (published.get(topic)?.hash !== hash)
      published.put(topic, { siteId: thing.siteId, hash, publishedAt: new Date() });
  }

  async #publish(topic: string, { thing, text }: { thing: DiscoveredThing; text: string }): Promise<void> {
    const { published, states } = this.#options;
    const isTaken = await this.#send(topic, text, { siteId: readersOf(thing) });
    if (!isTaken) return this.shelf.delete(topic);
    const hash = hashOf(text);
    this.shelf.put(topic, hash, thing);
    published.put(topic, { siteId: thing.siteId, hash, publishedAt: new Date() });
    states.publishAgain(thing); // Home Assistant subscribes only after it has read the config
  }

  async #handOver(topic: string, thing: DiscoveredThing): Promise<void> {
    this.#queue.hold(thing);
    this.#farewells.noteHandOver(topic, "just now");
    this.#queue.add(topic);
    // retained, it would be the config of whoever comes next
    const isTaken = await this.#send(topic, MIGRATE_DISCOVERY, { siteId: readersOf(thing), retain: false });
    if (!isTaken) this.#farewells.noteHandOver(topic, undefined);
  }

  async #clear(topic: string): Promise<void> {
    const { form } = this.#options;
    const isForGood = this.#farewells.isForGood(topic);
    this.#farewells.begin(topic);
    if (!(await this.#send(topic, "", { siteId: siteOf(topic, this.#options) }))) return;
    this.#farewells.noteHandOver(topic, undefined);
    this.shelf.delete(topic);
    const isHeard = isForGood && this.#farewells.isForGood(topic); // no break came between
    if (this.#farewells.size > MAX_CONFIGS[form.format]) this.#forget(topic);
    else if (isHeard) this.#farewells.settle(topic, () => this.#forget(topic));
  }

  #forget(topic: string): void {
    this.#farewells.end(topic);
    this.#options.published.remove(topic);
  }

  /** @returns whether the broker took it. */
  async #send(topic: string, payload: string, options: { siteId: string | null; retain?: boolean }): Promise<boolean> {
    const { form, link, log } = this.#options;
    try {
      await link.publish(topic, payload, { ...form.topics.config.options, ...options });
      this.failed.delete(topic);
      return true;
    } catch (error) {
      this.failed.add(topic);
      log.warn({ err: error, topic }, "Home Assistant could not be told of a change");
      return false;
    }
  }

  #worked(topic: string): undefined {
    this.#asked.delete(topic);
    this.#waiting.done(topic);
  }

  #isBeyondBound(topic: string): boolean {
    const { form, published, log } = this.#options;
    const most = MAX_CONFIGS[form.format];
    if (published.get(topic) || published.size - this.#farewells.size < most) return false;
    if (!this.#isFull) log.warn(`Home Assistant is told by ${most} configs and by no more`);
    this.#isFull = true;
    return true;
  }
}
