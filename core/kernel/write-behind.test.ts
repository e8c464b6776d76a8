import pino from "pino";
import { expect, test } from "vitest";
import { startWriteBehind } from "./write-behind.ts";

/** Rows go to a table in memory, so that the test decides what the database says. */
function table(refuse: (row: number) => Error | undefined, onGivenUp = () => {}) {
  const written: number[] = [];
  const logged: { msg: string }[] = [];
  let statements = 0;
  const behind = startWriteBehind<number>({
    what: "numbers",
    intervalMs: 60_000,
    maxWaiting: 2_000,
    write: async (rows) => {
      statements++;
      for (const row of rows) {
        const error = refuse(row);
        if (error) throw error;
      }
      written.push(...rows);
    },
    isUp: () => true,
    log: pino({ level: "error" }, { write: (line) => void logged.push(JSON.parse(line)) }),
    onGivenUp,
  });
  return { behind, written, logged, statements: () => statements };
}

const gone = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });

test("a row that the database refuses is given up alone", async () => {
  const { behind, written } = table((row) => (row === 7 ? new Error("value out of range") : undefined));
  for (let row = 0; row < 20; row++) behind.add(String(row), row);
  await behind.flush();
  expect(written.toSorted((a, b) => a - b)).toEqual([...Array(20).keys()].filter((row) => row !== 7));
  await behind.close();
});

test("while the database is away the newest form of each row waits", async () => {
  let isAway = true;
  const { behind, written } = table(() => (isAway ? gone : undefined));
  behind.add("a", 1);
  await expect(behind.flush()).rejects.toThrow("ECONNREFUSED");
  behind.add("a", 2);
  isAway = false;
  await behind.flush();
  expect(written).toEqual([2]);
  await behind.close();
});

test("what waits is bounded: the oldest go first", async () => {
  const { behind, written } = table(() => undefined);
  for (let row = 0; row < 2_100; row++) behind.add(String(row), row);
  await behind.flush();
  expect(written).toHaveLength(2_000);
  expect(written[0]).toBe(100);
  await behind.close();
});

test("many rows take few statements", async () => {
  const { behind, statements } = table(() => undefined);
  for (let row = 0; row < 2_000; row++) behind.add(String(row), row);
  await behind.flush();
  expect(statements()).toBe(4);
  await behind.close();
});

test("what waited goes before what came meanwhile, and nothing is written twice", async () => {
  let isAway = true;
  const { behind, written } = table((row) => {
    if (row === 2) return new Error("value out of range");
    if (row !== 3 || !isAway) return undefined;
    behind.add("4", 4);
    return gone;
  });
  for (const row of [0, 1, 2, 3]) behind.add(String(row), row);
  await expect(behind.flush()).rejects.toThrow("ECONNREFUSED");
  expect(behind.waiting).toBe(2);
  isAway = false;
  await behind.flush();
  expect(written).toEqual([0, 1, 3, 4]);
  expect(behind.waiting).toBe(0);
  await behind.close();
});

test("whoever wants to know is told of each row that is lost", async () => {
  let lost = 0;
  const { behind } = table(
    (row) => (row < 2 ? new Error("value out of range") : undefined),
    () => lost++,
  );
  for (let row = 0; row < 5; row++) behind.add(String(row), row);
  await behind.flush();
  expect(lost).toBe(2);
  for (let row = 10; row < 2_013; row++) behind.add(String(row), row);
  expect(lost).toBe(5);
  await behind.close();
});

test("what cannot be written at the end is not lost without a word", async () => {
  const { behind, logged } = table(() => gone);
  for (const row of [1, 2, 3]) behind.add(String(row), row);
  await behind.close();
  expect(logged).toMatchObject([{ lost: 3, msg: "numbers are lost: the database is away at the end" }]);
});
