import { describe, expect, test } from "vitest";
import { HubError } from "./errors.ts";
import { pageOf, sortOrder } from "./pages.ts";

const row = (name: string, id = name, createdAt = new Date(0)) => ({ id, name, createdAt });
const byName = sortOrder("name");
const namesOf = (page: { items: { name: string }[] }) => page.items.map(({ name }) => name);

function cursorOf(page: { next: string | null }): string {
  if (page.next === null) throw new Error("there is no further page");
  return page.next;
}

describe("a page", () => {
  const rows = ["d", "b", "a", "c", "e"].map((name) => row(name));

  test("follows another until there is none", () => {
    const first = pageOf(rows, { limit: 2 }, byName);
    const second = pageOf(rows, { limit: 2, cursor: cursorOf(first) }, byName);
    const third = pageOf(rows, { limit: 2, cursor: cursorOf(second) }, byName);
    expect([first, second, third].map(namesOf)).toEqual([["a", "b"], ["c", "d"], ["e"]]);
    expect(third.next).toBeNull();
    expect(first.total).toBe(5);
  });

  test("that ends with the last row has no next", () => {
    expect(pageOf(rows, { limit: 5 }, byName).next).toBeNull();
  });

  test("neither repeats nor hides a row when others come and go in between", () => {
    const first = pageOf(rows, { limit: 2 }, byName);
    const changed = [...rows.filter(({ name }) => name !== "b"), row("aa"), row("bb")];
    expect(namesOf(pageOf(changed, { limit: 2, cursor: cursorOf(first) }, byName))).toEqual(["bb", "c"]);
  });

  test("tells rows of the same name apart by their id", () => {
    const twins = [row("x", "2"), row("x", "1"), row("x", "3")];
    const first = pageOf(twins, { limit: 1 }, byName);
    const rest = pageOf(twins, { limit: 5, cursor: cursorOf(first) }, byName);
    expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(["1", "2", "3"]);
  });

  test("sorts names without regard to case, and backwards too", () => {
    const mixed = ["b", "A", "C"].map((name) => row(name));
    expect(namesOf(pageOf(mixed, { limit: 5 }, byName))).toEqual(["A", "b", "C"]);
    const backwards = pageOf(mixed, { limit: 2 }, sortOrder("-name"));
    expect(namesOf(backwards)).toEqual(["C", "b"]);
    expect(namesOf(pageOf(mixed, { limit: 2, cursor: cursorOf(backwards) }, sortOrder("-name")))).toEqual(["A"]);
  });

  test("sorts by instants", () => {
    const dated = [row("new", "1", new Date(2_000)), row("old", "2", new Date(1_000))];
    expect(namesOf(pageOf(dated, { limit: 5 }, sortOrder("createdAt")))).toEqual(["old", "new"]);
    expect(namesOf(pageOf(dated, { limit: 5 }, sortOrder("-createdAt")))).toEqual(["new", "old"]);
  });

  test("has a cursor that a list takes back, also for the longest name", () => {
    const long = [row("漢".repeat(80), crypto.randomUUID()), row("漢".repeat(80), crypto.randomUUID())];
    expect(cursorOf(pageOf(long, { limit: 1 }, byName)).length).toBeLessThanOrEqual(500);
  });

  test.each([["x"], [""], ["bnVsbA"], ["WzFd"], ["WyJhIiwxXQ"]])("refuses the cursor %j", (cursor) => {
    const refusal = expect.objectContaining({ code: "INVALID_INPUT", field: "cursor" });
    expect(() => pageOf(rows, { limit: 2, cursor }, byName)).toThrow(refusal);
    expect(() => pageOf(rows, { limit: 2, cursor }, byName)).toThrow(HubError);
  });
});
