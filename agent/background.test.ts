import { expect, test } from "vitest";
import { backgroundWith } from "./background.ts";
import { keptLog } from "./fixtures/scene.ts";

test.for<[string, () => Promise<void>]>([
  ["later", async () => Promise.reject(new Error("no more room"))],
  [
    "at once",
    () => {
      throw new Error("no more room");
    },
  ],
])("what fails %s in the background is one log line, and ends nothing", async ([, work]) => {
  const log = keptLog();
  backgroundWith(log)("a heartbeat", work);
  await expect.poll(() => log.lines).toHaveLength(1);
  expect(log.lines[0]).toMatchObject({ level: "error", message: "Failed: a heartbeat" });
});

test("what happens in the background begins at once", () => {
  const begun: string[] = [];
  backgroundWith(keptLog())("a wake", async () => void begun.push("a wake"));
  expect(begun).toEqual(["a wake"]);
});
