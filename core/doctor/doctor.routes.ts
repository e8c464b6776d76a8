import { DoctorReport } from "#contracts/api/doctor.ts";
import { IdParams } from "#contracts/api/common.ts";
import { type Actor, reachFor } from "#contracts/permissions.ts";
import { HubError } from "../kernel/errors.ts";
import type { App } from "../kernel/routes.ts";
import type { Directory } from "../members/directory.ts";
import { withoutEvidence } from "./doctor.rules.ts";
import type { Doctor } from "./doctor.service.ts";

export interface DoctorRoutes {
  readonly directory: Directory;
  readonly doctor: Doctor;
}

export function doctorRoutes(app: App, { directory, doctor }: DoctorRoutes): void {
  app.get(
    "/devices/:id/doctor",
    {
      config: { permission: "device:read" },
      schema: {
        summary: "Why a device does not wake, or would not, and what to do",
        params: IdParams,
        response: { 200: DoctorReport },
      },
    },
    ({ account, params }) => {
      const device = directory.devices.byId(params.id);
      if (device?.siteId !== account.siteId) throw new HubError("NOT_FOUND", "There is no such device");
      const report = doctor.report(device, new Date());
      return seesAgents(account) ? report : withoutEvidence(report);
    },
  );
}

function seesAgents(account: Actor): boolean {
  return reachFor(account, "agent:read") !== undefined;
}
