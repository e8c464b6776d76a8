import { beforeEach, describe, expect, test } from "vitest";
import { Names } from "./names.ts";

const NOBODY = Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });
const NO_RESOLVER = Object.assign(new Error("getaddrinfo EAI_AGAIN"), { code: "EAI_AGAIN" });

/** What the resolver is asked; the test answers when it likes. */
let asked: { readonly name: string; answer(found: readonly string[] | Error): void }[];
let nowMs: number;
let names: Names;

beforeEach(() => {
  asked = [];
  nowMs = 0;
  names = new Names({
    waitMs: 10,
    now: () => nowMs,
    lookUp: (name) =>
      new Promise((resolve, reject) => {
        const answer = (found: readonly string[] | Error) => (found instanceof Error ? reject(found) : resolve(found));
        asked.push({ name, answer });
      }),
  });
});

function addressesOf(name: string, { urgent = false } = {}) {
  return names.addressesOf(name, { urgent });
}

/** Asks for a name when its time has come, and lets the resolver answer. */
async function lookedUp(name: string, found: readonly string[] | Error) {
  const before = asked.length;
  const addresses = addressesOf(name);
  await expect.poll(() => asked.length).toBe(before + 1);
  asked.at(-1)!.answer(found);
  return addresses;
}

describe("a name", () => {
  test("that the system knows is resolved by it", async () => {
    const found = await new Names().addressesOf("localhost", { urgent: false });
    expect(["127.0.0.1", "::1"]).toContain(found?.[0]);
  });

  test("that nobody has is known to have no address", async () => {
    expect(await lookedUp("nas.lan", NOBODY)).toEqual([]);
  });

  test("that is an address needs nobody", async () => {
    expect(await addressesOf("192.168.1.9")).toEqual(["192.168.1.9"]);
    expect(asked).toEqual([]);
  });

  test("that resolves slowly holds nobody up, and serves those who ask later", async () => {
    expect(await addressesOf("nas.lan")).toBeUndefined();
    asked[0]!.answer(["192.168.1.9"]);
    expect(await addressesOf("nas.lan")).toEqual(["192.168.1.9"]);
    expect(asked).toHaveLength(1);
  });

  test("keeps its address while the resolver is slow, or away", async () => {
    await lookedUp("nas.lan", ["192.168.1.9"]);
    nowMs += 30_000;
    expect(await addressesOf("nas.lan")).toEqual(["192.168.1.9"]);
    asked.at(-1)!.answer(NO_RESOLVER);
    expect(await addressesOf("nas.lan")).toEqual(["192.168.1.9"]);
    expect(asked).toHaveLength(2);
  });

  test("that was not found is looked up less and less often", async () => {
    const lookups: number[] = [];
    for (nowMs = 0; nowMs < 60_000; nowMs += 1_000) {
      const before = asked.length;
      const addresses = addressesOf("nas.lan");
      if (asked.length > before) lookups.push(nowMs);
      asked.at(-1)!.answer(NOBODY);
      await addresses;
    }
    expect(lookups).toEqual([0, 5_000, 15_000, 35_000]);
  });
});

test("one name is looked up at a time, first the one that somebody waits for", async () => {
  const answers = [addressesOf("slow"), addressesOf("next"), addressesOf("awaited", { urgent: true })];
  await Promise.all(answers);
  expect(asked.map(({ name }) => name)).toEqual(["slow"]);
  asked[0]!.answer(NOBODY);
  await expect.poll(() => asked.map(({ name }) => name)).toEqual(["slow", "awaited"]);
  asked[1]!.answer(NOBODY);
  await expect.poll(() => asked.map(({ name }) => name)).toEqual(["slow", "awaited", "next"]);
});

test("names that are no longer watched are forgotten", async () => {
  await lookedUp("nas.lan", ["192.168.1.9"]);
  await lookedUp("nuc.lan", ["192.168.1.10"]);
  names.keepOnly(new Set(["nuc.lan"]));
  await lookedUp("nas.lan", ["192.168.1.11"]);
  expect(asked.map(({ name }) => name)).toEqual(["nas.lan", "nuc.lan", "nas.lan"]);
});
