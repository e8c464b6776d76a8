import { Cleanup } from "./cleanup.ts";
import { startHubProcess } from "./hub-process.ts";
import type { Part } from "./part.ts";
import { median, times } from "./statistics.ts";

/** From the start of the process to the line that says it is ready: on an empty folder, and again on a filled one. */
export const startPart: Part = async ({ report, cleanup, quick }) => {
  const starts = await times(quick ? 1 : 3, async () => {
    const own = new Cleanup();
    cleanup.add(() => own.run());
    const hub = await startHubProcess(own);
    const coldMs = hub.startMs;
    await hub.restart();
    const warmMs = hub.startMs;
    await own.run();
    return { coldMs, warmMs };
  });
  const cold = median(starts.map(({ coldMs }) => coldMs)) / 1_000;
  const warm = median(starts.map(({ warmMs }) => warmMs)) / 1_000;
  report.add({ name: "start.empty-folder", value: cold, unit: "s", bound: { atMost: 5 } });
  report.add({ name: "start.warm", value: warm, unit: "s", bound: { atMost: 2 } });
};
