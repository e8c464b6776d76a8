import { describe, expect, test } from "vitest";
import { TRANSACTION_LIFETIME_MS } from "#contracts/limits.ts";
import { Transactions } from "./transactions.ts";

describe("a transaction", () => {
  test("is remembered for ten minutes", () => {
    const transactions = new Transactions<string>();
    transactions.remember("ha", "42", ["sent"], 1_000);
    expect(transactions.find("ha", "42", 1_000 + TRANSACTION_LIFETIME_MS - 1)).toEqual(["sent"]);
    expect(transactions.find("ha", "42", 1_000 + TRANSACTION_LIFETIME_MS)).toBeUndefined();
  });

  test("is one client's alone", () => {
    const transactions = new Transactions<string>();
    transactions.remember("ha", "42", ["sent"], 0);
    expect(transactions.find("node-red", "42", 0)).toBeUndefined();
    transactions.remember('a","b', "c", ["one"], 0);
    expect(transactions.find("a", 'b","c', 0)).toBeUndefined();
  });

  test("that is used again after its time is a new one", () => {
    const transactions = new Transactions<string>();
    transactions.remember("ha", "42", ["old"], 0);
    transactions.remember("ha", "42", ["new"], TRANSACTION_LIFETIME_MS);
    expect(transactions.find("ha", "42", TRANSACTION_LIFETIME_MS + 1)).toEqual(["new"]);
  });

  test("gives way to newer ones beyond ten thousand", () => {
    const transactions = new Transactions<number>();
    for (let number = 0; number <= 10_000; number++) transactions.remember("ha", String(number), [number], number);
    expect(transactions.find("ha", "0", 10_001)).toBeUndefined();
    expect(transactions.find("ha", "1", 10_001)).toEqual([1]);
    expect(transactions.find("ha", "10000", 10_001)).toEqual([10_000]);
  });

  test("gives way to newer ones beyond a hundred thousand answers", () => {
    const transactions = new Transactions<number>();
    const many = Array.from({ length: 40_000 }, (_, number) => number);
    for (const name of ["a", "b", "c"]) transactions.remember("ha", name, many, 0);
    expect(["a", "b", "c"].map((name) => transactions.find("ha", name, 0) !== undefined)).toEqual([false, true, true]);
  });
});
