import pino from "pino";
import { expect, test } from "vitest";
import { startCatchUp } from "./catch-up.ts";

const log = pino({ level: "silent" });

test("memory is read anew until it succeeds, and once more when it is asked for meanwhile", async () => {
  let reads = 0;
  let release = () => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  const catchUp = startCatchUp(async () => {
    reads++;
    if (reads === 1) throw new Error("the database does not answer");
    if (reads === 2) await gate;
  }, log);
  catchUp.request();
  await expect.poll(() => reads).toBe(2);
  catchUp.request();
  catchUp.request();
  release();
  await expect.poll(() => reads).toBe(3);
  catchUp.request();
  await expect.poll(() => reads).toBe(4);
  catchUp.close();
});
