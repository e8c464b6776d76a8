import { expect, test } from "vitest";
import { originOf } from "./heard.rules.ts";

const running = { sentFrom: true, byHearer: false, overForMs: null };

test.each([
  ["proves a running wake, when another agent heard it", running, "on-wire"],
  ["proves nothing when the sender itself tells of it", { ...running, byHearer: true }, "ours"],
  ["is somebody else's during a wake, when it came from elsewhere", { ...running, sentFrom: false }, "foreign"],
  ["may be late", { ...running, overForMs: 5_000 }, "ours"],
  [
    "is no straggler after minutes: somebody on the agent's machine sent it",
    { ...running, overForMs: 60_000 },
    "foreign",
  ],
  ["is somebody else's for a device that was not woken", null, "foreign"],
])("a packet %s", (_what, wake, origin) => {
  expect(originOf(wake)).toBe(origin);
});
