import { describe, expect, test } from "vitest";
import { HubClock } from "./hub-clock.ts";

const HUB_SECONDS = 1_790_000_000.5;
const HUB_MS = HUB_SECONDS * 1000;
const WALL_MS = 1_700_000_000_000;

/** A clock that people set, and the monotonic one, as they go together until somebody changes that. */
function twoClocks() {
  const wall = { leadMs: WALL_MS, monotonicMs: 0 };
  const clock = new HubClock(() => wall.leadMs + wall.monotonicMs);
  return { wall, clock };
}

describe("the hub's time", () => {
  test("is unknown before the hub has answered", () => {
    const clock = new HubClock();
    clock.ask(100);
    expect(clock.now(200)).toBeUndefined();
  });

  test("is the answer's time plus half the round trip, and runs on", () => {
    const { wall, clock } = twoClocks();
    const nonce = clock.ask(1_000);
    wall.monotonicMs = 1_080;
    expect(clock.answer({ nonce, iat: HUB_SECONDS }, 1_080)).toBe(true);
    expect(clock.now(1_080)).toBe(HUB_MS + 40);
    wall.monotonicMs = 61_080;
    expect(clock.now(61_080)).toBe(HUB_MS + 60_040);
    expect(clock.answerIssuedAt).toBe(HUB_MS);
  });

  test("is not taken from an answer to somebody else, to an older question or to the same one again", () => {
    const clock = new HubClock();
    const older = clock.ask(0);
    const nonce = clock.ask(0);
    expect(clock.answer({ nonce: "another agent's nonce", iat: HUB_SECONDS }, 1)).toBe(false);
    expect(clock.answer({ nonce: older, iat: HUB_SECONDS }, 1)).toBe(false);
    expect(clock.answer({ nonce, iat: HUB_SECONDS }, 1)).toBe(true);
    expect(clock.answer({ nonce, iat: HUB_SECONDS + 3_600 }, 1)).toBe(false);
  });

  test("is not taken from an answer that was more than 10 s on its way", () => {
    const clock = new HubClock();
    const nonce = clock.ask(0);
    expect(clock.answer({ nonce, iat: HUB_SECONDS }, 10_001)).toBe(false);
    expect(clock.now(10_001)).toBeUndefined();
  });

  test("stays what it was while a new question is open", () => {
    const clock = new HubClock();
    clock.answer({ nonce: clock.ask(0), iat: HUB_SECONDS }, 0);
    clock.ask(50);
    expect(clock.now(100)).toBe(HUB_MS + 100);
  });

  test("is unknown again on a new connection", () => {
    const clock = new HubClock();
    clock.answer({ nonce: clock.ask(0), iat: HUB_SECONDS }, 0);
    clock.forget();
    expect(clock.now(100)).toBeUndefined();
  });

  test.for([
    ["the machine was suspended, while the monotonic clock stood still", 605_000],
    ["the machine's clock was set an hour back", -3_600_000],
    ["the machine was suspended for six seconds", 6_000],
  ] as const)("is unknown again after %s, until the hub answers anew", ([, jumpMs]) => {
    const { wall, clock } = twoClocks();
    clock.answer({ nonce: clock.ask(0), iat: HUB_SECONDS }, 0);
    wall.leadMs += jumpMs;
    expect(clock.now(100)).toBeUndefined();
    clock.answer({ nonce: clock.ask(200), iat: HUB_SECONDS + 600 }, 200);
    wall.monotonicMs = 300;
    expect(clock.now(300)).toBe(HUB_MS + 600_100);
  });

  test("is still known after a correction by NTP", () => {
    const { wall, clock } = twoClocks();
    clock.answer({ nonce: clock.ask(0), iat: HUB_SECONDS }, 0);
    wall.leadMs += 2_000;
    expect(clock.now(0)).toBe(HUB_MS);
  });

  test("is unknown when the machine was suspended between the question and the answer to it", () => {
    const { wall, clock } = twoClocks();
    const nonce = clock.ask(0);
    wall.leadMs += 605_000;
    clock.answer({ nonce, iat: HUB_SECONDS }, 50);
    expect(clock.now(50)).toBeUndefined();
  });
});
