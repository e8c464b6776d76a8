import { describe, expect, test } from "vitest";
import { LoginGuard, pauseAfter } from "./login-guard.ts";

const stranger = (nowMs: number) => ({ isKnown: false, nowMs });
const MINUTE_MS = 60_000;

test.each([
  [0, 0],
  [4, 0],
  [5, 1_000],
  [6, 2_000],
  [9, 16_000],
  [14, 512_000],
  [15, 900_000],
  [1_000, 900_000],
])("after %i failures the pause is %i ms", (failures, pause) => {
  expect(pauseAfter(failures)).toBe(pause);
});

describe("who guesses passwords", () => {
  test("waits longer each time, and says how long", () => {
    const guard = new LoginGuard();
    for (let tries = 0; tries < 6; tries++) guard.failed("ann", "10.0.0.1", 0);
    expect(() => guard.admit("ann", "10.0.0.1", stranger(500))).toThrow(
      expect.objectContaining({ retryAfterSeconds: 2 }),
    );
    expect(() => guard.admit("ann", "10.0.0.1", stranger(2_000))).not.toThrow();
  });

  test("does not make the owner wait, who logs in from elsewhere", () => {
    const guard = new LoginGuard();
    for (let tries = 0; tries < 50; tries++) guard.failed("ann", "10.0.0.1", 0);
    expect(() => guard.admit("ann", "10.0.0.2", stranger(0))).not.toThrow();
  });

  test("from many addresses uses up the strangers' budget of the account, not the owner's", () => {
    const guard = new LoginGuard();
    for (let address = 0; address < 10; address++) guard.admit("ann", `10.0.1.${address}`, stranger(0));
    expect(() => guard.admit("ann", "10.0.2.1", stranger(1))).toThrow(
      expect.objectContaining({ retryAfterSeconds: 60 }),
    );
    expect(() => guard.admit("ann", "10.0.0.9", { isKnown: true, nowMs: 1 })).not.toThrow();
    expect(() => guard.admit("bob", "10.0.2.1", stranger(1))).not.toThrow();
    expect(() => guard.admit("ann", "10.0.2.1", stranger(MINUTE_MS + 1))).not.toThrow();
  });

  test("from one network never uses up the strangers' budget of the account", () => {
    const guard = new LoginGuard();
    for (let tries = 0; tries < 7; tries++) guard.admit("ann", "10.0.0.1", stranger(0));
    expect(() => guard.admit("ann", "10.0.0.1", stranger(1))).toThrow(
      expect.objectContaining({ retryAfterSeconds: 60 }),
    );
    expect(() => guard.admit("ann", "10.0.0.2", stranger(1))).not.toThrow();
  });

  test("is forgiven by a right password, and after an hour", () => {
    const guard = new LoginGuard();
    for (let tries = 0; tries < 5; tries++) guard.failed("ann", "10.0.0.1", 0);
    guard.succeeded("ann", "10.0.0.1");
    expect(() => guard.admit("ann", "10.0.0.1", stranger(1))).not.toThrow();
    for (let tries = 0; tries < 6; tries++) guard.failed("bob", "10.0.0.1", 0);
    guard.failed("bob", "10.0.0.1", 61 * MINUTE_MS);
    expect(() => guard.admit("bob", "10.0.0.1", stranger(61 * MINUTE_MS))).not.toThrow();
  });

  test("cannot fill the memory", () => {
    const guard = new LoginGuard();
    for (let i = 0; i < 30_000; i++) guard.failed(`account-${i}`, "10.0.0.1", 0);
    for (let tries = 0; tries < 6; tries++) guard.failed("last", "10.0.0.1", 0);
    expect(() => guard.admit("last", "10.0.0.1", stranger(0))).toThrow();
  });
});
