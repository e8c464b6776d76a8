import { describe, expect, test } from "vitest";
import type { ScheduleWhen } from "#contracts/api/schedules.ts";
import { problemOfCron } from "./cron.rules.ts";
import {
  type FiringRule,
  MAX_COUNTED,
  duesAfter,
  firingsAfter,
  firingsOf,
  nextFiring,
  planDue,
} from "./firing.rules.ts";

const ATHENS = "Europe/Athens";
const NEW_YORK = "America/New_York";
const LORD_HOWE = "Australia/Lord_Howe";

const cron = (expression: string, timeZone = "UTC"): ScheduleWhen => ({ type: "cron", cron: expression, timeZone });
const sunset = (latitude: number, longitude: number, offsetMinutes = 0): ScheduleWhen => {
  return { type: "sun", event: "sunset", offsetMinutes, place: { latitude, longitude }, timeZone: "Europe/Oslo" };
};

const RULE: FiringRule = {
  id: "4c3c7f5e-6d0a-4a51-9d55-2f6a0c1b1e11",
  enabled: true,
  when: cron("0 7 * * *", ATHENS),
  jitterSeconds: 0,
  catchUpMinutes: 15,
  skipNext: false,
  settledUntil: new Date("2026-03-02T05:00:00Z"),
};

function first<Item>(items: Iterable<Item>, count: number): Item[] {
  return Iterator.from(items).take(count).toArray();
}

describe("a schedule is due", () => {
  test.each<[string, string, string, string, string[]]>([
    [
      "each day by the clock there",
      "0 7 * * *",
      ATHENS,
      "2026-03-28T12:00Z",
      ["2026-03-29T04:00Z", "2026-03-30T04:00Z"],
    ],
    ["at the end of the gap", "30 3 * * *", ATHENS, "2026-03-28T12:00Z", ["2026-03-29T01:00Z", "2026-03-30T00:30Z"]],
    ["once for all of a gap", "*/20 3 * * *", ATHENS, "2026-03-28T12:00Z", ["2026-03-29T01:00Z", "2026-03-30T00:00Z"]],
    ["once where the gap ends", "0 3,4 * * *", ATHENS, "2026-03-28T12:00Z", ["2026-03-29T01:00Z", "2026-03-30T00:00Z"]],
    ["by steps of hours, too", "0 */3 * * *", ATHENS, "2026-03-28T23:00Z", ["2026-03-29T01:00Z", "2026-03-29T03:00Z"]],
    [
      "once in an hour that comes twice",
      "30 3 * * *",
      ATHENS,
      "2026-10-24T12:00Z",
      ["2026-10-25T00:30Z", "2026-10-26T01:30Z"],
    ],
    ["not again in its second time", "30 3 * * *", ATHENS, "2026-10-25T00:45Z", ["2026-10-26T01:30Z"]],
    [
      "each real hour with * for the hour",
      "30 * * * *",
      ATHENS,
      "2026-10-24T23:45Z",
      ["2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-25T02:30Z"],
    ],
    [
      "at no hour that is left out, hourly",
      "30 * * * *",
      ATHENS,
      "2026-03-29T00:00Z",
      ["2026-03-29T00:30Z", "2026-03-29T01:30Z"],
    ],
    [
      "in New York at the end of the gap",
      "30 2 * * *",
      NEW_YORK,
      "2026-03-07T12:00Z",
      ["2026-03-08T07:00Z", "2026-03-09T06:30Z"],
    ],
    ["in New York once", "30 1 * * *", NEW_YORK, "2026-10-31T12:00Z", ["2026-11-01T05:30Z", "2026-11-02T06:30Z"]],
    [
      "after half an hour's gap",
      "15 2 * * *",
      LORD_HOWE,
      "2026-10-03T00:00Z",
      ["2026-10-03T15:30Z", "2026-10-04T15:15Z"],
    ],
    [
      "once in half an hour that comes twice",
      "45 1 * * *",
      LORD_HOWE,
      "2026-04-04T00:00Z",
      ["2026-04-04T14:45Z", "2026-04-05T15:15Z"],
    ],
    [
      "in UTC, which knows no such thing",
      "30 3 * * *",
      "UTC",
      "2026-03-28T12:00Z",
      ["2026-03-29T03:30Z", "2026-03-30T03:30Z"],
    ],
    ["on leap days", "0 0 29 2 *", "UTC", "2026-03-01T00:00Z", ["2028-02-29T00:00Z", "2032-02-29T00:00Z"]],
    ["with seconds first", "15 0 7 * * MON-FRI", "UTC", "2026-03-06T12:00Z", ["2026-03-09T07:00:15Z"]],
  ])("%s (%s, %s)", (_, expression, timeZone, after, expected) => {
    const dues = first(duesAfter(cron(expression, timeZone), new Date(after)), expected.length);
    expect(dues.map(({ at }) => at.toISOString())).toEqual(expected.map((at) => new Date(at).toISOString()));
  });

  test("once, and never again", () => {
    const when: ScheduleWhen = { type: "once", at: "2026-05-01T10:00:00.000Z" };
    expect(first(duesAfter(when, new Date("2026-05-01T09:59:59Z")), 5)).toHaveLength(1);
    expect(first(duesAfter(when, new Date("2026-05-01T10:00:00Z")), 5)).toHaveLength(0);
  });

  test("when the sun is there, moved by some minutes, on each day once", () => {
    const [plain] = first(duesAfter(sunset(37.98, 23.73), new Date("2026-06-21T00:00Z")), 1);
    const [moved] = first(duesAfter(sunset(37.98, 23.73, -20), new Date("2026-06-21T00:00Z")), 1);
    // timeanddate.com: sunset in Athens on 21 June at 20:51
    expect(plain?.at.toISOString().slice(0, 16)).toBe("2026-06-21T17:51");
    expect((plain?.at.getTime() ?? 0) - (moved?.at.getTime() ?? 0)).toBe(20 * 60_000);
    const days = first(duesAfter(sunset(37.98, 23.73), new Date("2026-01-01T00:00Z")), 365).map(({ at }) =>
      at.getTime(),
    );
    const gaps = days.slice(1).map((at, index) => at - (days[index] ?? 0));
    for (const gap of gaps) expect(Math.abs(gap - 86_400_000)).toBeLessThan(5 * 60_000);
  });

  test("on no day of polar day, and then it says so", () => {
    const dues = first(duesAfter(sunset(69.65, 18.96), new Date("2026-05-17T12:00Z")), 3);
    expect(dues.map(({ at }) => at.toISOString().slice(0, 10))).toEqual(["2026-05-17", "2026-07-26", "2026-07-27"]);
    expect(dues.map(({ note }) => note)).toEqual([
      null,
      expect.stringMatching(/^the first sunset after \d+ days without/),
      null,
    ]);
    expect(first(duesAfter(sunset(90, 0), new Date("2026-05-17T12:00Z")), 1)).toEqual([]);
  });
});

test.each(["0 7 * * *", "5 0 7 * * MON-FRI", "0 22 * * FRI#2", "0 0 L * *"])(
  "%s is a cron expression",
  (expression) => {
    expect(problemOfCron(expression)).toBeNull();
  },
);

test.each([
  ["* * *", /five fields/],
  ["0 7 * * * * 2030", /five fields/],
  ["@midnight", /five fields/],
  ["61 * * * *", /not understood: invalid value for minute: 61/],
  ["0 7 * * MO", /"MO" is no weekday/],
  ["noon * * * *", /"NOON" is no minute/i],
  ["0 9-7 * * *", /larger/],
  ["0 0 30 2 *", /never comes/],
  ["*/5 0 7 * * *", /more than once a minute/],
  ["0 ? * * *", /write \* for any/],
])("%s is none: %s", (expression, problem) => {
  expect(problemOfCron(expression)).toMatch(problem);
});

describe("jitter", () => {
  const rule = { ...RULE, jitterSeconds: 600 };
  const delaysOf = (rule: FiringRule) =>
    first(firingsAfter(rule, RULE.settledUntil), 200).map(
      ({ at, firesAt }) => (firesAt.getTime() - at.getTime()) / 1_000,
    );

  test("is the same on every hub, within its bound, and spread", () => {
    const delays = delaysOf(rule);
    expect(delaysOf({ ...rule })).toEqual(delays);
    for (const delay of delays) expect(delay).toBeLessThanOrEqual(600);
    expect(new Set(delays).size).toBeGreaterThan(100);
    expect(delaysOf({ ...rule, id: "another" })).not.toEqual(delays);
  });

  test("never makes one firing pass the next", () => {
    const often = { ...rule, when: cron("* * * * *"), jitterSeconds: 3_600 };
    const instants = first(firingsAfter(often, RULE.settledUntil), 500).map(({ firesAt }) => firesAt.getTime());
    expect(instants).toEqual(instants.toSorted((a, b) => a - b));
    expect(new Set(instants).size).toBe(instants.length);
  });
});

describe("what is due", () => {
  // 07:00 in Athens is 05:00 in UTC; RULE is settled until 2 March
  test.each<[string, Partial<FiringRule>, string, string | null, number]>([
    ["nothing before its time", {}, "2026-03-03T04:59:59Z", null, 0],
    ["the firing at its time", {}, "2026-03-03T05:00:00Z", "2026-03-03T05:00:00.000Z", 0],
    ["the firing within the catch-up window", {}, "2026-03-03T05:15:00Z", "2026-03-03T05:00:00.000Z", 0],
    ["nothing but a missed one after it", {}, "2026-03-03T05:15:01Z", null, 1],
    ["the newest, with all before it missed", {}, "2026-03-06T05:01:00Z", "2026-03-06T05:00:00.000Z", 3],
    [
      "a firing that is a moment late, also without a window",
      { catchUpMinutes: 0 },
      "2026-03-03T05:01:30Z",
      "2026-03-03T05:00:00.000Z",
      0,
    ],
    ["nothing that is later without a window", { catchUpMinutes: 0 }, "2026-03-03T05:01:31Z", null, 1],
    ["nothing of a disabled one", { enabled: false }, "2026-03-06T05:00:00Z", null, 0],
    [
      "nothing again after the clock was put back by an hour",
      { settledUntil: new Date("2026-03-03T05:00:00Z") },
      "2026-03-03T04:00:00Z",
      null,
      0,
    ],
  ])("is %s", (_, change, now, run, missed) => {
    const plan = planDue({ ...RULE, ...change }, new Date(now));
    expect(plan.run?.at.toISOString() ?? null).toBe(run);
    expect(plan.missed?.count ?? 0).toBe(missed);
  });

  test("is what a clock that was far ahead had settled", () => {
    const rule = { ...RULE, settledUntil: new Date("2027-03-03T05:00:00Z") };
    expect(nextFiring(rule, new Date("2026-03-03T04:00:00Z"))?.toISOString()).toBe("2026-03-03T05:00:00.000Z");
  });

  test("is counted so far after a year away, and the newest runs all the same", () => {
    const rule = { ...RULE, when: cron("* * * * *", ATHENS), settledUntil: new Date("2025-03-03T00:00:00Z") };
    const plan = planDue(rule, new Date("2026-03-03T05:00:20Z"));
    expect(plan.run?.at.toISOString()).toBe("2026-03-03T05:00:00.000Z");
    expect(plan.missed?.count).toBeGreaterThanOrEqual(MAX_COUNTED);
    expect(plan.missed?.last.toISOString()).toBe("2026-03-03T04:59:00.000Z");
    expect(plan.nextAt?.toISOString()).toBe("2026-03-03T05:01:00.000Z");
  });
});

describe("the firings to come", () => {
  const now = new Date("2026-03-27T12:00:00Z");

  test("are twenty, each with its clock and a sentence", () => {
    const firings = firingsOf({ ...RULE, settledUntil: now, jitterSeconds: 90 }, now);
    expect(firings).toHaveLength(20);
    expect(firings[0]?.explanation).toMatch(
      /^Saturday 28 March 2026, 07:00 in Athens \(UTC\+2\); up to 90 s later, this time \d+ s$/,
    );
    expect(firings[1]?.local).toMatch(/^2026-03-29 07:0\d(:\d\d)? UTC\+3$/);
    expect(firings.map(({ at }) => at)).toEqual(firings.map(({ at }) => at).toSorted());
  });

  test("say what daylight saving does to them", () => {
    const gap = firingsOf({ ...RULE, settledUntil: now, when: cron("30 3 * * *", ATHENS) }, now, 2)[1];
    expect(gap?.explanation).toContain(
      "04:00 in Athens (UTC+3); the clocks leave this time out, so at the end of the gap",
    );
    const october = new Date("2026-10-24T12:00:00Z");
    const twice = firingsOf({ ...RULE, settledUntil: october, when: cron("30 3 * * *", ATHENS) }, october, 1)[0];
    expect(twice?.explanation).toContain("03:30 in Athens (UTC+3); this time comes twice, so at its first");
  });

  test("name the one that is left out, and all of a disabled schedule", () => {
    const skipping = firingsOf({ ...RULE, settledUntil: now, skipNext: true }, now, 2);
    expect(skipping.map(({ skipped }) => skipped)).toEqual([true, false]);
    const disabled = firingsOf({ ...RULE, settledUntil: now, enabled: false }, now, 2);
    expect(disabled.map(({ skipped }) => skipped)).toEqual([true, true]);
    expect(nextFiring({ ...RULE, enabled: false }, now)).toBeNull();
  });

  test("hold one whose jitter is still under way", () => {
    const rule = { ...RULE, jitterSeconds: 3_000 };
    const [next] = first(firingsAfter(rule, RULE.settledUntil), 1);
    expect(nextFiring(rule, new Date("2026-03-03T05:00:00Z"))).toEqual(next?.firesAt);
  });
});
