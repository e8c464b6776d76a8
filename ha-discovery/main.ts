import { randomInt } from "node:crypto";
import type { Logger } from "pino";
import { BIRTH, type DiscoveryForm, type DiscoveryRef } from "#contracts/discovery.ts";
import { topics } from "#contracts/topics.ts";
import { ORIGIN, type Surroundings } from "./config.ts";
import { Form } from "./form.ts";
import type { DiscoveredThings, DiscoveryLink, PublishedConfigs, RetainedStates } from "./hub.ts";
import { overviewOf } from "./overview.ts";
import { DiscoveryPublisher } from "./publisher.ts";

/** How long discovery waits for what. Milliseconds; tests wait less. */
export interface DiscoveryTiming {
  /** A thing's config is published at most this often. */
  readonly paceMs: number;
  /** Home Assistant is answered a random while after its birth, so that not everybody answers at once. */
  readonly birthDelayMs: readonly [atLeast: number, atMost: number];
  /** MQTT does not say where the retained messages end: they are over when none has come for this long. */
  readonly quietMs: number;
  /** What was taken back after a birth is taken back again when another birth follows within this time. */
  readonly settleMs: number;
}

export const DEFAULT_TIMING: DiscoveryTiming = {
  paceMs: 5_000,
  birthDelayMs: [1_000, 10_000],
  quietMs: 500,
  // a broker notices after one and a half keep-alives, 60 s with Home Assistant, that nobody is there
  settleMs: 120_000,
};

/** Others may publish configs without end; what the broker has is compared after this long in any case. */
const PATIENCE_MS = 10_000;

export interface DiscoveryOptions extends DiscoveryForm {
  /** Off: everything that was published is taken back. */
  readonly enabled: boolean;
  readonly link: DiscoveryLink;
  readonly things: DiscoveredThings;
  readonly published: PublishedConfigs;
  readonly states: RetainedStates;
  readonly surroundings: Surroundings;
  readonly timing: DiscoveryTiming;
  readonly log: Logger;
}

export type Discovery = ReturnType<typeof startDiscovery>;

/** Tells Home Assistant of the hub and its things. Call it before the link connects. */
export function startDiscovery(options: DiscoveryOptions) {
  const { enabled, link, published, states, surroundings, timing } = options;
  const things = enabled ? options.things : NOTHING;
  const form = new Form(options, surroundings);
  const publisher = new DiscoveryPublisher({ ...options, form, things, ...timing });
  const overview = overviewOf({ enabled, form, things, published, publisher, surroundings });
  const births = new Map<string | null, Date>();
  const quiet = quietTime(timing.quietMs, () => publisher.compare());
  const birth = answerToBirth(timing.birthDelayMs, (sites) => {
    if (enabled) states.publishAll();
    // a broker that forgot its configs has lost our connection too, and they were compared after that
    publisher.answerBirth(sites);
  });
  link.on(form.topics.status, ({ payload, siteId }) => {
    if (payload.toString("utf8") !== BIRTH) return;
    births.set(siteId, new Date());
    birth.answer(siteId);
  });
  link.onBreak(() => {
    quiet.close();
    birth.cancel(); // all states are published after the next connect
    publisher.disconnected();
  });
  link.onConnect(() => quiet.begin());
  for (const topic of [form.topics.config, form.topics.component])
    link.on(topic, ({ topic, payload, ...sender }) => {
      if (payload.length === 0) return publisher.deletedThere(topic, sender);
      quiet.noise();
      publisher.found(topic, payload, isOurs(payload.toString("utf8"), surroundings));
    });

  return {
    ...overview,
    /** Publishes all configs of a site again, or of all (null). Resolves when the broker has them; undefined where discovery is off. */
    publishAll: async (siteId: string | null) => (enabled ? await publisher.send(things.all(siteId)) : undefined),
    send: (refs: readonly DiscoveryRef[]) => (enabled ? publisher.send(refs) : undefined),
    /** Takes back what is not wanted and concerns a site, for the last time. */
    cleanUp: async (siteId: string) => {
      const topics = await publisher.cleanUp(siteId);
      return topics.map((topic) => ({ topic, why: overview.whyUnwanted(topic) }));
    },
    /** When a Home Assistant that reads of a site last gave birth; null = not since this began. */
    bornAt: (siteId: string): Date | null => {
      const instants = [births.get(siteId), births.get(null)].flatMap((at) => at ?? []);
      return instants.toSorted((a, b) => a.getTime() - b.getTime()).at(-1) ?? null;
    },
    close: (): void => {
      quiet.close();
      birth.cancel();
      publisher.close();
    },
  };
}

const NOTHING: DiscoveredThings = { all: () => [], of: () => undefined, onChange: () => {}, hide: async () => {} };

/** Whether a config is of this hub: another PowerBeacon on the same broker has another base topic. */
function isOurs(text: string, { fullName }: Surroundings): boolean {
  if (!text.includes(ORIGIN) || !text.includes(JSON.stringify(fullName(topics.hubStatus.name)))) return false;
  try {
    const config = JSON.parse(text) as { origin?: { name?: unknown } } | null; // asked below
    return config?.origin?.name === ORIGIN;
  } catch {
    return false; // somebody else's, whatever it is
  }
}

/** Calls back once it has been quiet for a while after a beginning. */
function quietTime(quietMs: number, isQuiet: () => void) {
  let timer: NodeJS.Timeout | undefined;
  let deadline = 0;
  const wait = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      isQuiet();
    }, ms);
  };
  return {
    begin: () => {
      deadline = performance.now() + PATIENCE_MS;
      wait(quietMs);
    },
    noise: () => {
      if (timer) wait(Math.max(0, Math.min(quietMs, deadline - performance.now())));
    },
    close: () => clearTimeout(timer),
  };
}

/** Answers births after a random while; those that come while one waits get one answer more. */
function answerToBirth(
  [atLeast, atMost]: readonly [number, number],
  answer: (sites: ReadonlySet<string | null>) => void,
) {
  let timer: NodeJS.Timeout | undefined;
  /** The sites of those who were born since the timer runs. */
  let later = new Set<string | null>();
  const schedule = (sites: ReadonlySet<string | null>) => {
    timer = setTimeout(
      () => {
        timer = undefined;
        answer(sites);
        if (later.size > 0) schedule(later);
        later = new Set();
      },
      randomInt(atLeast, atMost + 1),
    );
  };
  return {
    answer: (siteId: string | null) => {
      if (timer) later.add(siteId);
      else schedule(new Set([siteId]));
    },
    cancel: () => {
      clearTimeout(timer);
      timer = undefined;
      later = new Set();
    },
  };
}
