import { describe, expect, test } from "vitest";
import { ago, date, exactly, span, when } from "./instants.ts";

// the tests of the page run in Central Europe, with the words of the United Kingdom

const NOON = Date.parse("2026-11-21T11:00:00Z");

describe("an instant is told as short as it stays clear", () => {
  test.each([
    ["of this day by its time", "2026-11-21T10:58:59Z", "11:58"],
    ["of this day's first minute by its time", "2026-11-20T23:00:00Z", "00:00"],
    ["of the last day's last minute as yesterday", "2026-11-20T22:59:59Z", "yesterday 23:59"],
    ["of two days ago with its day", "2026-11-19T10:00:00Z", /^Thu,? 19 Nov, 11:00$/],
    ["of the next day as tomorrow", "2026-11-22T10:00:00Z", "tomorrow 11:00"],
    ["of the day after that with its day", "2026-11-23T10:00:00Z", /^Mon,? 23 Nov, 11:00$/],
  ])("%s", (_what, instant, words) => {
    expect(when(instant, NOON)).toMatch(words);
  });

  test.each([
    ["of 23 hours", "2026-03-29T21:30:00Z", "2026-03-28T23:30:00Z", "00:30"],
    ["before one of 23 hours", "2026-03-29T21:30:00Z", "2026-03-28T22:30:00Z", "yesterday 23:30"],
    ["before one of 25 hours", "2026-10-25T22:30:00Z", "2026-10-24T21:30:00Z", "yesterday 23:30"],
  ])("on a day %s, too", (_what, now, instant, words) => {
    expect(when(instant, Date.parse(now))).toBe(words);
  });

  test("or by its day, with the year", () => {
    expect(date("2027-02-19T23:30:00Z")).toBe("20 Feb 2027");
  });

  test("or to the second, with the day and the year", () => {
    expect(exactly("2026-11-21T10:58:59Z")).toMatch(/21 Nov 2026.* 11:58:59/);
  });
});

test.each([
  [-1, "0 s"],
  [0, "0 s"],
  [4.4, "4 s"],
  [59.4, "59 s"],
  [60, "1 min"],
  [150, "3 min"],
  [3_600, "1 h"],
  [47 * 3_600, "47 h"],
  [48 * 3_600, "2 days"],
  [10 * 86_400, "10 days"],
])("a span of %d seconds is %s", (seconds, words) => {
  expect(span(seconds)).toBe(words);
});

test.each([
  ["2026-11-21T11:00:03Z", "just now"],
  ["2026-11-21T10:59:56Z", "just now"],
  ["2026-11-21T10:59:50Z", "10 s ago"],
  ["2026-11-21T09:00:00Z", "2 h ago"],
])("what happened at %s was %s", (instant, words) => {
  expect(ago(instant, NOON)).toBe(words);
});
