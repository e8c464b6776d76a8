import { expect, test } from "vitest";
import { NeighbourTable } from "./neighbour-table.ts";

const READ_EVERY_MS = 60;

function countedTable(read = async () => {}) {
  const readMs: number[] = [];
  const table = new NeighbourTable({
    readEveryMs: READ_EVERY_MS,
    read: async () => {
      readMs.push(performance.now());
      await read();
      return [{ address: `10.0.0.${readMs.length}`, mac: null, state: "unanswered" }];
    },
  });
  return { table, readMs };
}

test("many looks that end together share one reading", async () => {
  const { table, readMs } = countedTable();
  await Promise.all(Array.from({ length: 100 }, () => table.read()));
  expect(readMs).toHaveLength(1);
});

test("those that ask soon after a reading share the next one, which sees what came about since", async () => {
  const { table, readMs } = countedTable();
  await table.read();
  const later = await Promise.all(Array.from({ length: 100 }, () => table.read()));
  expect(readMs).toHaveLength(2);
  expect(readMs[1]! - readMs[0]!).toBeGreaterThan(READ_EVERY_MS - 5); // timers may be a little early
  expect(new Set(later.map(([entry]) => entry?.address))).toEqual(new Set(["10.0.0.2"]));
});

test("a reading that fails is an empty table, and the next one is tried", async () => {
  let works = false;
  const { table } = countedTable(async () => {
    if (!works) throw new Error("no more processes");
  });
  expect(await table.read()).toEqual([]);
  works = true;
  expect(await table.read()).toHaveLength(1);
});
