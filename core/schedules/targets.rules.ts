import type { ScheduleAnswer } from "#contracts/api/schedules.ts";
import { type Actor, mayPower, mayWake } from "#contracts/permissions.ts";
import { HubError } from "../kernel/errors.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import type { KnownSchedule } from "./schedules.ts";

interface Targets {
  readonly deviceIds: readonly string[];
  readonly clusterIds: readonly string[];
}

/**
 * Whoever makes a schedule may do now what it will do: with each device, and with each cluster as a whole.
 *
 * @throws HubError NOT_FOUND and FORBIDDEN (deviceIds.N, clusterIds.N)
 */
export function checkTargets(
  { actor, directory, siteId }: { readonly actor: Actor; readonly directory: Directory; readonly siteId: string },
  action: ScheduleAnswer["action"],
  { deviceIds, clusterIds }: Targets,
): void {
  const may = action === "wake" ? mayWake : mayPower;
  const verb = action === "wake" ? "wake" : "power down";
  for (const [index, id] of deviceIds.entries()) {
    const field = `deviceIds.${index}`;
    const device = directory.devices.byId(id);
    if (device?.siteId !== siteId) throw new HubError("NOT_FOUND", "There is no such device", { field });
    if (!may(actor, device, directory.clusterOf(device)))
      throw new HubError("FORBIDDEN", `You may not ${verb} "${device.name}"`, { field });
  }
  for (const [index, id] of clusterIds.entries()) {
    const field = `clusterIds.${index}`;
    const cluster = directory.clusters.byId(id);
    if (cluster?.siteId !== siteId || cluster.unassigned)
      throw new HubError("NOT_FOUND", "There is no such cluster", { field });
    if (!may(actor, cluster, undefined))
      throw new HubError("FORBIDDEN", `You may not ${verb} the cluster "${cluster.name}"`, { field });
  }
}

/** The devices of a schedule that are there now: those that are named, and all of its clusters, each once. */
export function devicesOf({ siteId, deviceIds, clusterIds }: KnownSchedule, directory: Directory): DirectoryDevice[] {
  const named = deviceIds.flatMap((id) => directory.devices.byId(id) ?? []);
  const members = clusterIds.flatMap((id) => (directory.clusters.byId(id) ? directory.devicesOf(id) : []));
  return [...new Set([...named, ...members])].filter((device) => device.siteId === siteId);
}

/** Whether somebody may still do what the schedule does with a device. @param owner null = the hub itself; undefined = nobody any more. */
export function mayStill(
  owner: Actor | null | undefined,
  { action }: KnownSchedule,
  device: DirectoryDevice,
  directory: Directory,
): boolean {
  if (owner === null) return true;
  const may = action === "wake" ? mayWake : mayPower;
  return owner !== undefined && may(owner, device, directory.clusterOf(device));
}
