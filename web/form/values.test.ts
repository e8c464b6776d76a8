import { describe, expect, test } from "vitest";
import { changesOf } from "./changes.ts";
import { checkedOf, isChecked, listOf, numberOrNull, numbersOf, tagsOf, textOf, textOrNull, typed } from "./values.ts";

function field(value: string): FormData {
  const data = new FormData();
  data.set("field", value);
  return data;
}

describe("a field's value is read as", () => {
  test.each([
    ["text without the spaces around it", textOf, " NAS ", "NAS"],
    ["what was typed, spaces included", typed, " secret ", " secret "],
    ["text", textOrNull, " NAS ", "NAS"],
    ["null when it is empty", textOrNull, "  ", null],
    ["a list with commas, spaces or lines between", listOf, " 9, 7\n8  6,,5 ", ["9", "7", "8", "6", "5"]],
    ["an empty list when it is empty", listOf, " ", []],
    ["tags, which may hold spaces", tagsOf, "living room, , always on,", ["living room", "always on"]],
    ["numbers", numbersOf, "9, 7", [9, 7]],
    ["what was typed where that is no number, for the hub to refuse", numbersOf, "9, seven", [9, "seven"]],
    ["a number", numberOrNull, " 120 ", 120],
    ["null when there is no number", numberOrNull, " ", null],
    ["what was typed where that is no number", numberOrNull, "soon", "soon"],
  ] as const)("%s", (_what, read, value, expected) => {
    expect((read as (data: FormData, name: string) => unknown)(field(value), "field")).toEqual(expected);
  });

  test("nothing typed when there is no such field", () => {
    expect(textOf(new FormData(), "field")).toBe("");
    expect(numberOrNull(new FormData(), "field")).toBeNull();
  });

  test("checked, or not", () => {
    expect(isChecked(field("on"), "field")).toBe(true);
    expect(isChecked(new FormData(), "field")).toBe(false);
  });

  test("all that is checked, in an order that does not depend on the page", () => {
    const data = new FormData();
    for (const value of ["b", "c", "a"]) data.append("field", value);
    expect(checkedOf(data, "field")).toEqual(["a", "b", "c"]);
  });
});

describe("what a person changed is", () => {
  test.each([
    ["nothing when all is as it was", { name: "NAS", tags: ["a"] }, { name: "NAS", tags: ["a"] }, {}],
    ["the fields that differ", { name: "NAS", os: "linux" }, { name: "Box", os: "linux" }, { name: "Box" }],
    ["a field that was cleared, as null", { address: "10.0.0.1" }, { address: null }, { address: null }],
    ["a whole list when one part differs", { tags: ["a", "b"] }, { tags: ["a"] }, { tags: ["a"] }],
    [
      "the part of an object that differs",
      { wake: { ports: [9], w: 5 } },
      { wake: { ports: [9], w: 6 } },
      { wake: { w: 6 } },
    ],
  ])("%s", (_what, before, next, change) => {
    expect(changesOf<object>(before, next)).toEqual(change);
  });
});
