import type { z } from "zod";
import { IdParams } from "#contracts/api/common.ts";
import { PlanQuery, PowerPlan } from "#contracts/api/plans.ts";
import { mayPower, mayWake, reachFor } from "#contracts/permissions.ts";
import { HubError } from "../kernel/errors.ts";
import type { Account, App } from "../kernel/routes.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import type { Intent, Plans } from "./plans.ts";

export interface PlanRoutes {
  readonly directory: Directory;
  readonly plans: Plans;
}

export function planRoutes(app: App, { directory, plans }: PlanRoutes): void {
  app.get(
    "/devices/:id/plan",
    {
      config: { permission: "device:read" },
      schema: {
        summary: "What waking a device, or powering it off, would do; nothing is done",
        params: IdParams,
        querystring: PlanQuery,
        response: { 200: PowerPlan },
      },
    },
    (request) => {
      const device = directory.devices.byId(request.params.id);
      if (device?.siteId !== request.account.siteId) throw new HubError("NOT_FOUND", "There is no such device");
      return plans.of([device], intentOf(request));
    },
  );

  app.get(
    "/clusters/:id/plan",
    {
      config: { permission: "device:read" },
      schema: {
        summary: "The same for every enabled device of a cluster",
        params: IdParams,
        querystring: PlanQuery,
        response: { 200: PowerPlan },
      },
    },
    (request) => {
      const cluster = directory.clusters.byId(request.params.id);
      if (cluster?.siteId !== request.account.siteId) throw new HubError("NOT_FOUND", "There is no such cluster");
      const devices = directory.devicesOf(cluster.id).filter((device) => device.enabled);
      if (devices.length === 0) throw new HubError("CLUSTER_EMPTY", "This cluster has no enabled device");
      return plans.of(devices, intentOf(request));
    },
  );

  function intentOf({ account, query }: { account: Account; query: z.infer<typeof PlanQuery> }): Intent {
    const mayAct = query.action === "wake" ? mayWake : mayPower;
    const may = (device: DirectoryDevice) => mayAct(account, device, directory.clusterOf(device));
    return { ...query, may, seesAgents: reachFor(account, "agent:read") !== undefined };
  }
}
