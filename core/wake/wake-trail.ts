import type { Directory, DirectoryCluster, DirectoryDevice } from "../members/directory.ts";
import type { Asker, RunningWake } from "./running-wake.ts";
import type { WakeAnswerPart } from "./wake-answer.ts";

/** A row of the audit log names so many devices; the history has them all. */
const MAX_NAMED = 20;

/**
 * Writes a request down in the audit log: who asked, by which door, and what became of it. One row for a cluster, however
 * many devices of it are named; none when it only joins wakes that somebody asked for already.
 *
 * @param made wakes that this request began.
 */
export function noteRequests(
  directory: Directory,
  asker: Asker,
  {
    devices,
    answers,
    made,
  }: {
    readonly devices: readonly DirectoryDevice[];
    readonly answers: readonly WakeAnswerPart[];
    readonly made: readonly RunningWake[];
  },
): void {
  const begun = new Set(made);
  const byCluster = Map.groupBy(devices, (device) => directory.clusterOf(device));
  for (const [cluster, members] of byCluster) noteRequest(asker, { devices: members, cluster }, answers, begun);
}

function noteRequest(
  { trail, door }: Asker,
  { devices, cluster }: { readonly devices: readonly DirectoryDevice[]; readonly cluster: DirectoryCluster },
  parts: readonly WakeAnswerPart[],
  begun: ReadonlySet<RunningWake>,
): void {
  const keys = new Set(devices.map(({ key }) => key));
  const fresh = parts.filter((part) => keys.has(part.device) && (part.type === "refused" || begun.has(part.wake)));
  const [first] = fresh;
  const [device] = devices;
  if (!first || !device) return;
  const target =
    devices.length === 1
      ? { type: "device", id: device.id, name: device.key }
      : { type: "cluster", id: cluster.id, name: cluster.key };
  const wakes = fresh.filter((part) => part.type === "wake" && !part.failure);
  const named = devices.slice(0, MAX_NAMED).map(({ key }) => key);
  const details = { door, devices: named, count: devices.length, begun: wakes.length };
  if (wakes.length > 0) return trail.note({ action: "device.wake", target, details });
  const failed = fresh.find((part) => part.type === "wake");
  const { code } = (failed?.type === "wake" ? failed.failure : undefined) ?? (first as { readonly code?: string });
  trail.note({
    action: "device.wake",
    target,
    details,
    result: failed ? "failed" : "refused",
    ...(code !== undefined && { reason: code }),
  });
}
