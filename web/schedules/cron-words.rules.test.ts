import { describe, expect, test } from "vitest";
import { cronOf, cronWords, weeklyOf } from "./cron-words.rules.ts";

describe("a cron expression in words", () => {
  test.each([
    ["30 7 * * 1-5", "Monday to Friday at 07:30"],
    ["30 7 * * MON-FRI", "Monday to Friday at 07:30"],
    ["30 7 * * 1,2,3,4,5", "Monday to Friday at 07:30"],
    ["30 7 * * 1,3", "Monday and Wednesday at 07:30"],
    ["0 23 * * *", "Every day at 23:00"],
    ["15 0 7 * * *", "Every day at 07:00:15"],
    ["0 6,18 * * *", "Every day at 06:00 and 18:00"],
    ["0 9 * * 6,0", "Saturday and Sunday at 09:00"],
    ["0 3 1 * *", "On the 1st of the month at 03:00"],
    ["0 3 1,15 1,7 *", "On the 1st and 15th of the month in January and July at 03:00"],
    ["0 3 13 * 5", "On the 13th of the month, and every Friday at 03:00"],
    ["0 3 L * *", "On the last day of the month at 03:00"],
    ["*/15 * * * *", "every 15 minutes"],
    ["* * * * *", "every minute"],
    ["5 * * * *", "every hour at minute 5"],
    ["0 */2 * * 1", "Monday every 2 hours at minute 0"],
  ])("%s is “%s”", (expression, words) => {
    expect(cronWords(expression)).toBe(words);
  });

  test.each(["", "30 7 * *", "soon", "0 7 * * 1#2", "1-5 7 * * *", "0 99 * * *", "0 7 * * 5-1"])(
    "%j is left as it is",
    (expression) => {
      expect(cronWords(expression)).toBeUndefined();
    },
  );
});

describe("a time on days of the week", () => {
  test.each([
    ["30 7 * * 1,2,3,4,5", { time: "07:30", weekdays: [1, 2, 3, 4, 5] }],
    ["0 23 * * *", { time: "23:00", weekdays: [1, 2, 3, 4, 5, 6, 7] }],
    ["0 9 * * 6,7", { time: "09:00", weekdays: [6, 7] }],
  ])("is read from %s, and written as it was", (expression, weekly) => {
    expect(weeklyOf(expression)).toEqual(weekly);
    expect(cronOf(weekly)).toBe(expression);
  });

  test.each([
    ["0 9 * * 0,SAT", [6, 7]],
    ["0 9 * * 1-3,3", [1, 2, 3]],
  ])("counts each day of %s once, from Monday", (expression, weekdays) => {
    expect(weeklyOf(expression)?.weekdays).toEqual(weekdays);
  });

  test.each(["0 9 1 * *", "0 9 * 2 *", "30 0 9 * * *", "*/5 9 * * *", "0 9 * * 1/2"])(
    "is not all of %s",
    (expression) => {
      expect(weeklyOf(expression)).toBeUndefined();
    },
  );
});
