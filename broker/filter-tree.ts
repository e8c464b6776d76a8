interface Level<Value> {
  here: Set<Value> | null;
  below: Map<string, Level<Value>> | null;
  /** What `+` leads to. */
  one: Level<Value> | null;
  /** What stands at a `#` below this level. */
  all: Set<Value> | null;
}

/**
 * Topic filters, as a tree of their levels: a topic looks at what can match it and at nothing else.
 *
 * Levels are keys of maps, so a level may be called `__proto__`.
 */
export class FilterTree<Value> {
  readonly #root: Level<Value> = newLevel();

  add(filter: string, value: Value): void {
    const words = filter.split("/");
    const isOpen = words.at(-1) === "#";
    if (isOpen) words.pop();
    let level = this.#root;
    for (const word of words) level = stepDown(level, word);
    if (isOpen) (level.all ??= new Set()).add(value);
    else (level.here ??= new Set()).add(value);
  }

  remove(filter: string, value: Value): void {
    const words = filter.split("/");
    const isOpen = words.at(-1) === "#";
    if (isOpen) words.pop();
    removeFrom(this.#root, words, 0, { isOpen, value });
  }

  /** The values of all filters that match a topic, each filter's apart. MQTT 5 §4.7 */
  match(topic: string): Set<Value>[] {
    const found: Set<Value>[] = [];
    collect(this.#root, topic.split("/"), 0, found);
    return found;
  }
}

function newLevel<Value>(): Level<Value> {
  return { here: null, below: null, one: null, all: null };
}

function stepDown<Value>(level: Level<Value>, word: string): Level<Value> {
  if (word === "+") return (level.one ??= newLevel());
  level.below ??= new Map();
  let next = level.below.get(word);
  if (next === undefined) {
    next = newLevel();
    level.below.set(word, next);
  }
  return next;
}

function collect<Value>(level: Level<Value>, words: readonly string[], at: number, found: Set<Value>[]): void {
  const word = words[at];
  // §4.7.2: no wildcard matches a first level with `$`
  const isHidden = at === 0 && word !== undefined && word.startsWith("$");
  // §4.7.1.2: `#` also matches the level above it
  if (level.all !== null && !isHidden) found.push(level.all);
  if (word === undefined) {
    if (level.here !== null) found.push(level.here);
    return;
  }
  const next = level.below?.get(word);
  if (next !== undefined) collect(next, words, at + 1, found);
  if (level.one !== null && !isHidden) collect(level.one, words, at + 1, found);
}

/** Forgets a value and the levels that lead to nothing else. True when this level is empty then. */
function removeFrom<Value>(
  level: Level<Value>,
  words: readonly string[],
  at: number,
  { isOpen, value }: { readonly isOpen: boolean; readonly value: Value },
): boolean {
  const word = words[at];
  if (word === undefined) {
    const values = isOpen ? level.all : level.here;
    values?.delete(value);
    if (values?.size === 0) {
      if (isOpen) level.all = null;
      else level.here = null;
    }
  } else if (word === "+") {
    if (level.one !== null && removeFrom(level.one, words, at + 1, { isOpen, value })) level.one = null;
  } else {
    const next = level.below?.get(word);
    if (next !== undefined && removeFrom(next, words, at + 1, { isOpen, value })) level.below?.delete(word);
    if (level.below?.size === 0) level.below = null;
  }
  return level.here === null && level.below === null && level.one === null && level.all === null;
}
