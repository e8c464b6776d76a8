import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CopiedCredentials } from "./copied-credentials.ts";

const MINUTE = 60_000;
let copies: CopiedCredentials;
let reports: string[][];
let changes: string[];

beforeEach(() => {
  vi.useFakeTimers();
  copies = new CopiedCredentials();
  reports = [];
  changes = [];
  copies.onCopied((_id, addresses) => reports.push([...addresses]));
  copies.onChange((id) => changes.push(id));
});

afterEach(() => {
  copies.close();
  vi.useRealTimers();
});

/** Connects with one client identifier from one address after the other; each takes the place of the one before. */
function takeOver(addresses: string[], pauseMs = 1_000): void {
  let before: string | null = null;
  for (const [at, address] of addresses.entries()) {
    copies.connected("pi", { clientId: "pi", address, takenFrom: before }, at * pauseMs);
    before = address;
  }
}

const one = { clientId: "one", address: "10.0.0.1", takenFrom: null };
const other = { clientId: "other", address: "10.0.0.2", takenFrom: null };

describe("a credential is copied", () => {
  test("when two clients have it at once", () => {
    copies.connected("pi", one, 0);
    expect(copies.isCopied("pi")).toBe(false);
    copies.connected("pi", other, 1);
    expect(copies.isCopied("pi")).toBe(true);
    expect(reports).toEqual([["10.0.0.1", "10.0.0.2"]]);
    expect(changes).toEqual(["pi"]);
  });

  test.each([
    ["two addresses", ["10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.2"]],
    ["three addresses", ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1", "10.0.0.2"]],
  ])("when its connection goes back and forth between %s", (_what, addresses) => {
    takeOver(addresses.slice(0, -1));
    expect(reports).toEqual([]);
    takeOver(addresses.slice(-2));
    expect(reports).toEqual([[...new Set(addresses)].toSorted()]);
  });
});

describe("no copy is", () => {
  test.each([
    ["a client that comes back again and again", Array.from({ length: 10 }, () => "10.0.0.1")],
    ["a machine that has another address", ["10.0.0.1", "10.0.0.2", "10.0.0.2", "10.0.0.2"]],
    ["a machine that moves to another network and back", ["10.0.0.1", "10.0.0.2", "10.0.0.1"]],
    ["a machine that moves on and on", ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]],
    ["a machine that comes by IPv4 and IPv6 in turn", ["10.0.0.1", "fd00::1", "10.0.0.1", "fd00::1", "10.0.0.1"]],
  ])("%s", (_what, addresses) => {
    takeOver(addresses);
    expect(copies.isCopied("pi")).toBe(false);
  });

  test("a machine that changes its network every five minutes", () => {
    takeOver(["10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.2", "10.0.0.1"], 5 * MINUTE);
    expect(copies.isCopied("pi")).toBe(false);
  });

  test("a client with a new identifier, once the one before is gone", () => {
    copies.connected("pi", one, 0);
    copies.disconnected("pi", one);
    copies.connected("pi", other, 1);
    expect(copies.isCopied("pi")).toBe(false);
  });

  test("two agents", () => {
    copies.connected("pi", one, 0);
    copies.connected("attic", other, 0);
    expect([copies.isCopied("pi"), copies.isCopied("attic")]).toEqual([false, false]);
  });
});

describe("a copy", () => {
  test("that goes on is reported once an hour", () => {
    copies.connected("pi", one, 0);
    copies.connected("pi", other, 0);
    copies.connected("pi", { ...other, clientId: "third" }, 59 * MINUTE);
    expect(reports).toHaveLength(1);
    copies.connected("pi", { ...other, clientId: "fourth" }, 60 * MINUTE);
    expect(reports).toHaveLength(2);
  });

  test("is forgotten a day after its last sign", () => {
    copies.connected("pi", one, 0);
    copies.connected("pi", other, 0);
    vi.advanceTimersByTime(24 * 60 * MINUTE);
    expect(copies.isCopied("pi")).toBe(false);
    expect(changes).toEqual(["pi", "pi"]);
  });

  test("is forgotten with its agent", () => {
    copies.connected("pi", one, 0);
    copies.connected("pi", other, 0);
    copies.forget("pi");
    expect(copies.isCopied("pi")).toBe(false);
  });
});
