import type { Logger } from "pino";
import { type DiscoveredThing, type DiscoveryRef, MIGRATE_DISCOVERY } from "#contracts/discovery.ts";
import { Dismissals } from "./dismissals.ts";
import { Farewells } from "./farewells.ts";
import type { Form, Place } from "./form.ts";
import type { DiscoveredThings, DiscoveryLink, Published, PublishedConfigs, RetainedStates, Sender } from "./hub.ts";
import { PacedQueue } from "./paced-queue.ts";
import { Shelf, hashOf } from "./shelf.ts";
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

/** What is to be done on a topic. */
type Task =
  | { readonly type: "publish"; readonly thing: DiscoveredThing; readonly text: string }
  | { readonly type: "hand-over"; readonly thing: DiscoveredThing }
  | { readonly type: "rest" }
  | { readonly type: "clear" };

/** Parents first: Home Assistant makes an empty device for one that it does not know yet. What is to go, goes last. */
const RANKS: Readonly<Record<DiscoveryRef["type"], number>> = { hub: 1, device: 2, cluster: 3, agent: 4 };
/** Before anything is published in the other format. */
const HAND_OVER = 0;
const LAST = 5;

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
  readonly #queue: PacedQueue;
  readonly #farewells: Farewells;
  readonly #dismissals: Dismissals;
  /** Topics that are to be published although nothing changed. */
  readonly #asked = new Set<string>();
  readonly #waiting = new Waiting();
  #isFull = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#farewells = new Farewells(options.settleMs);
    this.#dismissals = new Dismissals(options.things, options.log);
    this.#queue = new PacedQueue({ ranks: LAST + 1, paceMs: options.paceMs, work: (topic) => this.#work(topic) });
    options.things.onChange((ref) => options.form.topicsOf(ref).forEach((topic) => this.#add(topic)));
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
    if (!isWanted) this.#add(topic); // a ghost, also when it comes late
  }

  /** Brings the broker up to date: what is missing or different is published, what is ours and not wanted is taken back. */
  compare(): void {
    const { things, form } = this.#options;
    this.#findUnwanted();
    for (const topic of this.#farewells.topics) this.#add(topic);
    for (const ref of things.all()) for (const topic of form.topicsOf(ref)) this.#add(topic);
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
      const site = this.#siteOf(topic);
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
    for (const topic of this.failed) this.#add(topic);
    this.#findUnwanted(); // a birth may come before the first comparison
    for (const topic of this.#farewells.topics) {
      const site = this.#siteOf(topic);
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
    this.#add(topic);
    const place = form.placeOf(topic);
    if (!place || place.format === form.format || !this.#options.things.of(place.ref)) return;
    for (const own of form.topicsOf(place.ref)) this.#askFor(own);
  }

  #askFor(topic: string): void {
    this.#asked.add(topic);
    this.#add(topic);
  }

  #add(topic: string): void {
    const { form } = this.#options;
    const place = form.placeOf(topic);
    const isOther = place && place.format !== form.format && !this.#farewells.handedOver(topic);
    this.#queue.add(topic, isOther ? HAND_OVER : place?.format === form.format ? RANKS[place.ref.type] : LAST);
  }

  /** The thing that is to have a config there. */
  #wantedAt(topic: string): DiscoveredThing | undefined {
    const place = this.#options.form.placeOf(topic);
    const thing = place && this.#options.things.of(place.ref);
    return thing && this.#options.form.wants(place, thing) ? thing : undefined;
  }

  /** Whose clients read what stands on a topic; null = those of every site. */
  #siteOf(topic: string): string | null {
    const isHub = this.#options.form.placeOf(topic)?.ref.type === "hub";
    return isHub ? null : (this.#options.published.get(topic)?.siteId ?? null);
  }

  #findUnwanted(): void {
    for (const [topic, { hash }] of this.#options.published)
      if (hash !== null && !this.#wantedAt(topic)) this.#farewells.begin(topic);
  }

  #work(topic: string): Promise<void> | undefined {
    const task = this.#taskFor(topic);
    if (task) return this.#carryOut(topic, task).finally(() => this.#worked(topic));
    return this.#worked(topic);
  }

  #taskFor(topic: string): Task | undefined {
    const { form, things } = this.#options;
    const place = form.placeOf(topic);
    const thing = place && things.of(place.ref);
    const text = thing && form.textAt(place, thing);
    return thing && text !== undefined ? this.#publicationOf(topic, thing, text) : this.#removalOf(topic, place, thing);
  }

  #publicationOf(topic: string, thing: DiscoveredThing, text: string): Task | undefined {
    const { published } = this.#options;
    this.#farewells.end(topic);
    const before = published.get(topic);
    if (before?.hash === null || this.#dismissals.has(thing) || this.#isBeyondBound(before)) return undefined;
    const hash = hashOf(text);
    if (this.#asked.has(topic) || this.shelf.hashOf(topic) !== hash) return { type: "publish", thing, text };
    this.shelf.put(topic, hash, thing);
    // the broker kept what a killed hub had no time to note down
    if (before?.hash !== hash) published.put(topic, { siteId: thing.siteId, hash, publishedAt: new Date() });
    return undefined;
  }

  #removalOf(topic: string, place: Place | undefined, thing: DiscoveredThing | undefined): Task | undefined {
    const { form, published } = this.#options;
    const isNoted = typeof published.get(topic)?.hash === "string";
    if (!isNoted && !this.shelf.has(topic) && !this.#farewells.isForGood(topic)) return undefined;
    if (!thing || place?.format === form.format) return { type: "clear" };
    switch (this.#farewells.handedOver(topic)) {
      case undefined:
        return { type: "hand-over", thing };
      case "just now":
        return { type: "rest" };
      case "before":
        return { type: "clear" };
    }
  }

  #carryOut(topic: string, task: Task): Promise<void> {
    switch (task.type) {
      case "publish":
        return this.#publish(topic, task);
      case "hand-over":
        return this.#handOver(topic, task.thing);
      case "rest":
        this.#farewells.noteHandOver(topic, "before");
        this.#add(topic);
        return Promise.resolve(); // which is followed by a rest
      case "clear":
        return this.#clear(topic);
    }
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
    for (const own of this.#options.form.topicsOf(thing)) this.#queue.hold(own);
    this.#farewells.noteHandOver(topic, "just now");
    this.#add(topic);
    // retained, it would be the config of whoever comes next
    const isTaken = await this.#send(topic, MIGRATE_DISCOVERY, { siteId: readersOf(thing), retain: false });
    if (!isTaken) this.#farewells.noteHandOver(topic, undefined);
  }

  async #clear(topic: string): Promise<void> {
    const { form } = this.#options;
    const isForGood = this.#farewells.isForGood(topic);
    this.#farewells.begin(topic);
    if (!(await this.#send(topic, "", { siteId: this.#siteOf(topic) }))) return;
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

  #isBeyondBound(before: Published | undefined): boolean {
    const { form, published, log } = this.#options;
    const most = MAX_CONFIGS[form.format];
    if (before !== undefined || published.size - this.#farewells.size < most) return false;
    if (!this.#isFull) log.warn(`Home Assistant is told by ${most} configs and by no more`);
    this.#isFull = true;
    return true;
  }
}

/** Everything names the hub, so all read of it. */
function readersOf({ type, siteId }: DiscoveredThing): string | null {
  return type === "hub" ? null : siteId;
}
