import { expect, test } from "vitest";
import { FilterTree } from "./filter-tree.ts";

/** Levels that meet often, and names that every object has. */
const WORDS = ["a", "b", "", "__proto__", "$x"];

/** Always the same numbers, so that a failure comes again. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

/** MQTT 5 §4.7, word for word. */
function matches(filter: string, topic: string): boolean {
  const [words, levels] = [filter.split("/"), topic.split("/")];
  if (topic.startsWith("$") && (words[0] === "+" || words[0] === "#")) return false;
  for (const [at, word] of words.entries()) {
    if (word === "#") return true;
    if (at >= levels.length || (word !== "+" && word !== levels[at])) return false;
  }
  return words.length === levels.length;
}

test("a topic finds exactly the filters that match it, whatever was added and removed before", () => {
  const next = randomNumbers(7);
  const pick = (words: readonly string[]) => words[next(words.length)] ?? "";
  const topicOf = () => Array.from({ length: 1 + next(4) }, () => pick(WORDS)).join("/");
  const filterOf = () => {
    const words = Array.from({ length: 1 + next(4) }, () => pick([...WORDS, "+"]));
    return [...words, ...(next(3) === 0 ? ["#"] : [])].slice(next(8) === 0 && words.length > 1 ? 1 : 0).join("/");
  };
  const tree = new FilterTree<object>();
  const there = new Map<object, string>();
  for (let round = 0; round < 3_000; round++) {
    const [oldest] = there.keys();
    if (oldest !== undefined && next(5) < 2) {
      tree.remove(there.get(oldest) ?? "", oldest);
      there.delete(oldest);
    } else {
      const value = { round };
      const filter = filterOf();
      tree.add(filter, value);
      there.set(value, filter);
    }
    const topic = topicOf();
    const found = tree.match(topic).flatMap((values) => [...values]);
    const expected = [...there].filter(([, filter]) => matches(filter, topic)).map(([value]) => value);
    expect(new Set(found)).toEqual(new Set(expected));
    expect(found).toHaveLength(expected.length);
  }
});
