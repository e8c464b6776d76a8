import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { TokenConnections } from "./token-connections.ts";

let connections: TokenConnections;
let good: Set<string>;
let ended: string[];

beforeEach(() => {
  vi.useFakeTimers();
  good = new Set(["a", "b"]);
  ended = [];
  connections = new TokenConnections({ isGood: (id) => good.has(id), disconnect: (id) => ended.push(id) });
});

afterEach(() => {
  connections.close();
  vi.useRealTimers();
});

test("the connections of a token that expires are ended within half a minute, and nobody else's", () => {
  connections.connected("a");
  connections.connected("b");
  vi.advanceTimersByTime(60_000);
  expect(ended).toEqual([]);
  good.delete("a");
  vi.advanceTimersByTime(30_000);
  expect(ended).toEqual(["a"]);
});

test("a token that is not connected any more has nothing to end", () => {
  connections.connected("a");
  connections.connected("a");
  connections.disconnected("a");
  good.clear();
  vi.advanceTimersByTime(30_000);
  expect(ended).toEqual(["a"]);
  connections.disconnected("a");
  vi.advanceTimersByTime(30_000);
  expect(ended).toEqual(["a"]);
});
