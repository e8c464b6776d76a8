import type { DirectoryCluster, DirectoryDevice } from "../members/directory.ts";
import type { Asker } from "../wake/running-wake.ts";
import type { PowerOffAnswerPart } from "./power-off-answer.ts";
import type { RunningPowerOff } from "./running-power-off.ts";

/** A row of the audit log names so many devices; the history has them all. */
const MAX_NAMED = 20;

/**
 * Writes a request down in the audit log: who asked, by which door, and what became of it. One row for a cluster, however
 * many devices of it are named; none when it only joins power-offs that somebody asked for already.
 *
 * @param begun power-offs that this request began.
 */
export function noteRequest(
  { trail, door }: Asker,
  { devices, cluster }: { readonly devices: readonly DirectoryDevice[]; readonly cluster: DirectoryCluster },
  parts: readonly PowerOffAnswerPart[],
  begun: ReadonlySet<RunningPowerOff>,
): void {
  const keys = new Set<string>(devices.map(({ key }) => key));
  const fresh = parts.filter((part) => keys.has(part.device) && (part.type === "refused" || begun.has(part.powerOff)));
  const [first] = fresh;
  const [device] = devices;
  if (!first || !device) return;
  const target =
    devices.length === 1
      ? { type: "device", id: device.id, name: device.key }
      : { type: "cluster", id: cluster.id, name: cluster.key };
  const made = fresh.flatMap((part) => (part.type === "power-off" ? part.powerOff : []));
  const named = devices.slice(0, MAX_NAMED).map(({ key }) => key);
  const isForced = made.some(({ force }) => force);
  const details = {
    door,
    action: first.action,
    devices: named,
    count: devices.length,
    begun: made.length,
    ...(isForced && { force: true }),
  };
  if (made.length > 0 || first.type === "power-off") return trail.note({ action: "device.power-off", target, details });
  trail.note({ action: "device.power-off", target, details, result: "refused", reason: first.code });
}
