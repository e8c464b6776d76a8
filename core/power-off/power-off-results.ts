import type { Logger } from "pino";
import { Key } from "#contracts/key.ts";
import type { PowerOffResult, PowerOffStageRecord } from "#contracts/power-off.ts";
import { topics } from "#contracts/topics.ts";
import { publishAnswer } from "../kernel/answer.ts";
import type { Link } from "../kernel/link.ts";
import type { DirectoryDevice } from "../members/directory.ts";
import type { Asker } from "../wake/running-wake.ts";
import type { InterruptedPowerOff } from "./last-power-offs.ts";
import type { RunningPowerOff } from "./running-power-off.ts";

/** Tells each asker every stage of its power-offs: on the device's result topic, and on the response topic where one was given. */
export function powerOffResults(link: Link, log: Logger) {
  function lost(error: unknown): void {
    log.warn({ err: error }, "a result could not be published");
  }

  return {
    stage: (powerOff: RunningPowerOff, record: PowerOffStageRecord, askers: readonly Asker[]): void => {
      const { id, deviceKey, action, siteId } = powerOff;
      const topic = topics.deviceResult.for(deviceKey);
      const code = "code" in record ? record.code : null;
      for (const { transaction, response } of askers) {
        const result: PowerOffResult = { transaction, powerOff: id, device: deviceKey, action, ...record };
        publishAnswer(link, topic, JSON.stringify(result), { address: response, siteId, transaction, code }).catch(
          lost,
        );
      }
    },
    /** Tells the end of one that a stopped hub left open; who asked for it is not known any more. */
    interrupted: ({ id, action, end }: InterruptedPowerOff, device: DirectoryDevice): void => {
      const key = Key.parse(device.key);
      const result: PowerOffResult = { transaction: null, powerOff: id, device: key, action, ...end };
      const { options } = topics.deviceResult;
      link.publish(topics.deviceResult.for(key), JSON.stringify(result), options).catch(lost);
    },
  };
}
export type PowerOffResults = ReturnType<typeof powerOffResults>;
