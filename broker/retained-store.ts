import type { Publication } from "./publication.ts";

interface Level {
  message: Publication | null;
  below: Map<string, Level> | null;
}

/**
 * The retained messages, as a tree of topic levels: a subscription looks at what can match it and at nothing else.
 *
 * Levels are keys of maps, so a level may be called `__proto__`.
 */
export class RetainedStore {
  readonly #root: Level = { message: null, below: null };
  readonly #byTopic = new Map<string, Publication>();
  readonly #limit: number;
  readonly #onChange: ((topic: string, message: Publication | null) => void) | null;

  /** @param onChange called with what is retained on a topic from now on. */
  constructor(limit: number, onChange: ((topic: string, message: Publication | null) => void) | null = null) {
    this.#limit = limit;
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#byTopic.size;
  }

  get(topic: string): Publication | undefined {
    return this.#byTopic.get(topic);
  }

  /** Keeps the message, or forgets its topic when it is empty. False when there is no room for another topic. */
  store(message: Publication): boolean {
    if (message.payload.length === 0) {
      this.delete(message.topic);
      return true;
    }
    const isKnown = this.#byTopic.has(message.topic);
    if (!isKnown && this.#byTopic.size >= this.#limit) return false;
    this.#byTopic.set(message.topic, message);
    let level = this.#root;
    for (const word of message.topic.split("/")) {
      level.below ??= new Map();
      let next = level.below.get(word);
      if (next === undefined) {
        next = { message: null, below: null };
        level.below.set(word, next);
      }
      level = next;
    }
    level.message = message;
    this.#onChange?.(message.topic, message);
    return true;
  }

  delete(topic: string): void {
    if (!this.#byTopic.delete(topic)) return;
    prune(this.#root, topic.split("/"), 0);
    this.#onChange?.(topic, null);
  }

  /** The retained messages whose topics match a filter. */
  match(filter: string): Publication[] {
    if (!filter.includes("+") && !filter.includes("#")) {
      const message = this.#byTopic.get(filter);
      return message === undefined ? [] : [message];
    }
    const found: Publication[] = [];
    collect(this.#root, filter.split("/"), 0, found);
    return found;
  }
}

function collect(level: Level, words: readonly string[], at: number, found: Publication[]): void {
  const word = words[at];
  if (word === undefined) {
    if (level.message) found.push(level.message);
    return;
  }
  if (word === "#") {
    collectAll(level, at === 0, found);
    return;
  }
  if (word !== "+") {
    const next = level.below?.get(word);
    if (next) collect(next, words, at + 1, found);
    return;
  }
  for (const [name, next] of level.below ?? []) {
    if (!(at === 0 && name.startsWith("$"))) collect(next, words, at + 1, found);
  }
}

/** `#` also matches the level above it; no wildcard matches a first level with `$`. MQTT 5 §4.7.1.2, §4.7.2 */
function collectAll(level: Level, isFirst: boolean, found: Publication[]): void {
  if (level.message) found.push(level.message);
  for (const [name, next] of level.below ?? []) {
    if (!(isFirst && name.startsWith("$"))) collectAll(next, false, found);
  }
}

/** Forgets the message of a topic and the levels that lead to nothing else. True when this level is empty then. */
function prune(level: Level, words: readonly string[], at: number): boolean {
  const word = words[at];
  if (word === undefined) level.message = null;
  else {
    const next = level.below?.get(word);
    if (next && prune(next, words, at + 1)) level.below?.delete(word);
    if (level.below?.size === 0) level.below = null;
  }
  return level.message === null && level.below === null;
}
