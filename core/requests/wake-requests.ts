import { Key } from "#contracts/key.ts";
import { MAX_PACKET_BYTES } from "#contracts/limits.ts";
import { PERSON_MARK } from "#contracts/principal.ts";
import type { RequestFields, WakeData, WakePart } from "#contracts/request.ts";
import { type ErrorCode, HubError } from "../kernel/errors.ts";
import type { Sender } from "../kernel/link.ts";
import type { Trail } from "../kernel/trail.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import type { Asker } from "../wake/running-wake.ts";
import { type WakeAnswerPart, acceptedOf } from "../wake/wake-answer.ts";
import type { WakeService } from "../wake/wake.service.ts";
import type { RequestAsker, RequestRefusal, Verb } from "./requests.messages.ts";

export interface WakeRequestParts {
  readonly directory: Directory;
  readonly wakes: WakeService;
  /** The audit log under the name of an MQTT client. */
  readonly trailOf: (sender: Sender) => Trail;
  /** Some devices of a request were refused; reported besides the answer to the asker. */
  readonly onRefused: (refusal: RequestRefusal) => void;
}

/** What is left for the topic, the correlation data and the frame of the answer. Bytes. */
const FRAME_BYTES = 8 * 1024;

/** The verbs `wake` and `power`: another door to the one way on which machines are woken. */
export function wakeVerbs(parts: WakeRequestParts): { readonly wake: Verb<"wake">; readonly power: Verb<"power"> } {
  const wake: Verb<"wake"> = (fields, asker) => wakeAs(asker, fields, parts);
  return {
    wake,
    power: ({ action, ...fields }, asker) => {
      if (action === "wake") return wake(fields, asker);
      const targets = targetsOf(fields, asker, parts.directory);
      if (!asker.rights.may("power")) throw new HubError("FORBIDDEN", "You may not power anything down");
      const [first] = targets;
      if (first?.type === "device" && !mayWake(first.device, asker, parts.directory))
        throw new HubError("FORBIDDEN", "You may not power this device down", { field: "device" });
      throw new HubError("NOT_SUPPORTED", `This hub cannot do "${action}" yet; it wakes machines`, { field: "action" });
    },
  };
}

/** A device that was named, or the name of one that is not there for the asker. */
type Target =
  | { readonly type: "device"; readonly device: DirectoryDevice }
  | { readonly type: "unknown"; readonly key: Key };

/** @throws HubError why nothing was done, where it is the same for all that was named. */
function wakeAs(asker: RequestAsker, fields: RequestFields<"wake">, parts: WakeRequestParts): WakeData {
  const { directory, wakes } = parts;
  const allowed: DirectoryDevice[] = [];
  const refused: Refused[] = [];
  for (const target of targetsOf(fields, asker, directory)) {
    if (target.type === "unknown")
      refused.push(refusal(target.key, "UNKNOWN_DEVICE", `There is no device "${target.key}"`));
    else if (mayWake(target.device, asker, directory)) allowed.push(target.device);
    else refused.push(refusal(Key.parse(target.device.key), "FORBIDDEN", "You may not wake this device"));
  }
  const asked = allowed.length > 0 ? wakes.request(allowed, wakeAskerOf(asker, parts), { force: fields.force }) : [];
  const all: WakeAnswerPart[] = [...asked, ...refused];
  const denied = all.filter((part) => part.type === "refused");
  const [first] = denied;
  if (first && denied.length === all.length && fields.devices === undefined)
    throw new HubError(first.code, first.reason, {
      field: NAMES.find((name) => fields[name] !== undefined) ?? "device",
    });
  if (first) report(first, denied.length, asker, parts);
  return { wakes: fitting(all.map(partOf)), total: all.length };
}

const NAMES = ["device", "cluster", "mac"] as const;

type Refused = Extract<WakeAnswerPart, { type: "refused" }>;

function refusal(device: Key, code: ErrorCode, reason: string): Refused {
  return { type: "refused", device, code, reason };
}

function report(
  { device, reason }: Refused,
  count: number,
  { siteId, by, transaction }: RequestAsker,
  { onRefused }: WakeRequestParts,
): void {
  const named =
    count === 1 ? { device, reason } : { device: null, reason: `${count} devices were refused; ${device}: ${reason}` };
  onRefused({ siteId, by, cluster: null, transaction, ...named });
}

/** As many as an answer holds; the results of the others come all the same. */
function fitting(parts: readonly WakePart[]): WakePart[] {
  let left = MAX_PACKET_BYTES - FRAME_BYTES;
  const end = parts.findIndex((part) => (left -= Buffer.byteLength(JSON.stringify(part)) + 1) < 0);
  return parts.slice(0, end === -1 ? parts.length : end);
}

/** @throws HubError UNKNOWN_DEVICE, UNKNOWN_CLUSTER, CLUSTER_EMPTY */
function targetsOf(
  { device, devices, cluster, mac }: Pick<RequestFields<"wake">, "device" | "devices" | "cluster" | "mac">,
  { rights }: RequestAsker,
  directory: Directory,
): Target[] {
  const reached = (found: DirectoryDevice | undefined) =>
    found && rights.reaches(directory.clusterOf(found)) ? found : undefined;
  if (cluster !== undefined) return membersOf(cluster).map((found) => ({ type: "device", device: found }));
  if (mac !== undefined) {
    const found = [...directory.devices].filter((one) => one.mac === mac && reached(one));
    if (found.length > 0) return found.map((one) => ({ type: "device", device: one }));
    throw new HubError("UNKNOWN_DEVICE", `No device has the MAC address ${mac}`, { field: "mac" });
  }
  return [...new Set(devices ?? (device === undefined ? [] : [device]))].map((key) => {
    const found = reached(directory.devices.byKey(key));
    return found ? { type: "device", device: found } : { type: "unknown", key };
  });

  function membersOf(key: string): DirectoryDevice[] {
    const found = directory.clusters.byKey(key);
    if (!found || !rights.reaches(found))
      throw new HubError("UNKNOWN_CLUSTER", `There is no cluster "${key}"`, { field: "cluster" });
    const enabled = directory.devicesOf(found.id).filter((one) => one.enabled);
    if (enabled.length > 0) return enabled;
    throw new HubError("CLUSTER_EMPTY", "This cluster has no enabled device", { field: "cluster" });
  }
}

function mayWake(device: DirectoryDevice, { rights }: RequestAsker, directory: Directory): boolean {
  return rights.mayWake(device, directory.clusterOf(device));
}

function wakeAskerOf(asker: RequestAsker, { trailOf }: WakeRequestParts): Asker {
  const { by, tokenId, transaction, response } = asker;
  return {
    by: tokenId === null ? by : by.slice(PERSON_MARK.length),
    door: tokenId === null ? "mqtt" : "mqtt-person",
    transaction,
    response,
    trail: trailOf(asker),
  };
}

function partOf(part: WakeAnswerPart): WakePart {
  const { device, wake, stage, code, reason } = acceptedOf(part);
  return { device, wake, stage, ...(code !== undefined && { code }), ...(reason !== undefined && { reason }) };
}
