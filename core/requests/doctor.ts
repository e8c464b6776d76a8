import { withoutEvidence } from "../doctor/doctor.rules.ts";
import type { Doctor } from "../doctor/doctor.service.ts";
import { HubError } from "../kernel/errors.ts";
import type { Directory } from "../members/directory.ts";
import type { Verb } from "./requests.messages.ts";

export interface DoctorVerbParts {
  readonly directory: Directory;
  readonly doctor: Doctor;
}

/** Why a device does not wake, for automations. */
export function doctorVerb({ directory, doctor }: DoctorVerbParts): Verb<"doctor"> {
  return ({ device: key }, { rights }) => {
    const device = directory.devices.byKey(key);
    if (!device || !rights.sees("device") || !rights.reaches(directory.clusterOf(device)))
      throw new HubError("UNKNOWN_DEVICE", `There is no device "${key}"`, { field: "device" });
    const report = doctor.report(device, new Date());
    return rights.sees("agent") ? report : withoutEvidence(report);
  };
}
