import type { RequestFields } from "#contracts/request.ts";
import type { Plans } from "../dependencies/plans.ts";
import { HubError } from "../kernel/errors.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import { type Rights, actsOf } from "./rights.ts";
import type { Verb } from "./requests.messages.ts";
import { fitting } from "./wake-requests.ts";

export interface PlanVerbParts {
  readonly directory: Directory;
  readonly plans: Plans;
}

/** What waking or powering off would do, for automations. Of a very large cluster the first steps, as many as fit into a packet. */
export function planVerb({ directory, plans }: PlanVerbParts): Verb<"plan"> {
  return (fields, { rights }) => {
    const { action, force } = fields;
    const may = actsOf(rights, directory, action === "wake" ? "wake" : "power");
    const plan = plans.of(devicesOf(fields, rights, directory), {
      action,
      force,
      may,
      seesAgents: rights.sees("agent"),
    });
    return { ...plan, steps: fitting(plan.steps), total: plan.steps.length };
  };
}

/** @throws HubError UNKNOWN_DEVICE, UNKNOWN_CLUSTER, CLUSTER_EMPTY */
function devicesOf(
  { device: key, cluster }: RequestFields<"plan">,
  rights: Rights,
  directory: Directory,
): readonly DirectoryDevice[] {
  if (cluster !== undefined) {
    const found = directory.clusters.byKey(cluster);
    if (!found || !rights.sees("cluster") || !rights.reaches(found))
      throw new HubError("UNKNOWN_CLUSTER", `There is no cluster "${cluster}"`, { field: "cluster" });
    const enabled = directory.devicesOf(found.id).filter((one) => one.enabled);
    if (enabled.length > 0) return enabled;
    throw new HubError("CLUSTER_EMPTY", "This cluster has no enabled device", { field: "cluster" });
  }
  const found = key === undefined ? undefined : directory.devices.byKey(key);
  if (!found || !rights.sees("device") || !rights.reaches(directory.clusterOf(found)))
    throw new HubError("UNKNOWN_DEVICE", `There is no device "${key}"`, { field: "device" });
  return [found];
}
