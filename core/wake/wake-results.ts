import type { Logger } from "pino";
import { topics } from "#contracts/topics.ts";
import type { WakeResult, WakeStageRecord } from "#contracts/wake.ts";
import { Key } from "#contracts/key.ts";
import { publishAnswer } from "../kernel/answer.ts";
import type { Link } from "../kernel/link.ts";
import type { DirectoryDevice } from "../members/directory.ts";
import type { InterruptedWake } from "./last-wakes.ts";
import type { Asker, RunningWake } from "./running-wake.ts";

/** Tells each asker every stage of its wakes: on the cluster's result topic, and on the response topic where one was given. */
export function wakeResults(link: Link, log: Logger) {
  function lost(error: unknown): void {
    log.warn({ err: error }, "a result could not be published");
  }

  return {
    stage: (wake: RunningWake, record: WakeStageRecord, askers: readonly Asker[]): void => {
      const topic = topics.clusterWakeResult.for(wake.clusterKey);
      const code = "code" in record ? record.code : null;
      const { siteId } = wake;
      for (const { transaction, response } of askers) {
        const result: WakeResult = { transaction, wake: wake.id, device: wake.deviceKey, ...record };
        const to = { address: response, siteId, transaction, code };
        publishAnswer(link, topic, JSON.stringify(result), to).catch(lost);
      }
    },
    /** Tells the end of a wake that a stopped hub left open; who asked for it is not known any more. */
    interrupted: (wake: InterruptedWake, device: DirectoryDevice, clusterKey: string): void => {
      const result: WakeResult = { transaction: null, wake: wake.id, device: Key.parse(device.key), ...wake.end };
      link
        .publish(topics.clusterWakeResult.for(clusterKey), JSON.stringify(result), topics.clusterWakeResult.options)
        .catch(lost);
    },
  };
}
export type WakeResults = ReturnType<typeof wakeResults>;
