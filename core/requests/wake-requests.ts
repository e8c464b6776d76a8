import { Key } from "#contracts/key.ts";
import { MAX_PACKET_BYTES } from "#contracts/limits.ts";
import { PERSON_MARK } from "#contracts/principal.ts";
import type { RequestFields, WakePart } from "#contracts/request.ts";
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

/** The verb `wake`: another door to the one way on which machines are woken. */
export function wakeVerb(parts: WakeRequestParts): Verb<"wake"> {
  return (fields, asker) => {
    const { directory, wakes } = parts;
    const { allowed, refused } = sorted(fields, asker, directory, "wake");
    const asked = allowed.length > 0 ? wakes.request(allowed, askerOf(asker, parts), { force: fields.force }) : [];
    const all: WakeAnswerPart[] = [...asked, ...refused];
    answerRefusals(all, fields, asker, parts);
    return { wakes: fitting(all.map(partOf)), total: all.length };
  };
}

/** A device that was named, or the name of one that is not there for the asker. */
type Target =
  | { readonly type: "device"; readonly device: DirectoryDevice }
  | { readonly type: "unknown"; readonly key: Key };

/** A device that nothing is done to. */
export interface Refused {
  readonly type: "refused";
  readonly device: Key;
  readonly code: ErrorCode;
  readonly reason: string;
}

const MAY_NOT = { wake: "You may not wake this device", power: "You may not power this device off" } as const;

/**
 * The devices that a request names: those that the asker may do this to, and the others.
 *
 * @throws HubError UNKNOWN_DEVICE, UNKNOWN_CLUSTER, CLUSTER_EMPTY
 */
export function sorted(
  fields: TargetFields,
  asker: RequestAsker,
  directory: Directory,
  act: "wake" | "power",
): { allowed: DirectoryDevice[]; refused: Refused[] } {
  const allowed: DirectoryDevice[] = [];
  const refused: Refused[] = [];
  for (const target of targetsOf(fields, asker, directory)) {
    if (target.type === "unknown")
      refused.push(refusal(target.key, "UNKNOWN_DEVICE", `There is no device "${target.key}"`));
    else if (mayDo(target.device, asker, directory, act)) allowed.push(target.device);
    else refused.push(refusal(Key.parse(target.device.key), "FORBIDDEN", MAY_NOT[act]));
  }
  return { allowed, refused };
}

/**
 * Tells of what was refused.
 *
 * @throws HubError why nothing was done, where it is the same for all that was named.
 */
export function answerRefusals(
  all: readonly ({ readonly type: string } | Refused)[],
  fields: TargetFields,
  asker: RequestAsker,
  parts: Pick<WakeRequestParts, "onRefused">,
): void {
  const denied = all.filter((part): part is Refused => part.type === "refused");
  const [first] = denied;
  if (first && denied.length === all.length && fields.devices === undefined)
    throw new HubError(first.code, first.reason, {
      field: NAMES.find((name) => fields[name] !== undefined) ?? "device",
    });
  if (first) report(first, denied.length, asker, parts);
}

type TargetFields = Pick<RequestFields<"wake">, "device" | "devices" | "cluster" | "mac">;

const NAMES = ["device", "cluster", "mac"] as const;

function refusal(device: Key, code: ErrorCode, reason: string): Refused {
  return { type: "refused", device, code, reason };
}

function report(
  { device, reason }: Refused,
  count: number,
  { siteId, by, transaction }: RequestAsker,
  { onRefused }: Pick<WakeRequestParts, "onRefused">,
): void {
  const named =
    count === 1 ? { device, reason } : { device: null, reason: `${count} devices were refused; ${device}: ${reason}` };
  onRefused({ siteId, by, cluster: null, transaction, ...named });
}

/** As many as an answer holds; the results of the others come all the same. */
export function fitting<Part>(parts: readonly Part[]): Part[] {
  let left = MAX_PACKET_BYTES - FRAME_BYTES;
  const end = parts.findIndex((part) => (left -= Buffer.byteLength(JSON.stringify(part)) + 1) < 0);
  return parts.slice(0, end === -1 ? parts.length : end);
}

/** @throws HubError UNKNOWN_DEVICE, UNKNOWN_CLUSTER, CLUSTER_EMPTY */
function targetsOf(
  { device, devices, cluster, mac }: TargetFields,
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

function mayDo(
  device: DirectoryDevice,
  { rights }: RequestAsker,
  directory: Directory,
  act: "wake" | "power",
): boolean {
  const cluster = directory.clusterOf(device);
  return act === "wake" ? rights.mayWake(device, cluster) : rights.mayPower(device, cluster);
}

export function askerOf(
  asker: RequestAsker,
  { directory, trailOf }: Pick<WakeRequestParts, "directory" | "trailOf">,
): Asker {
  const { by, tokenId, transaction, response, rights } = asker;
  return {
    by: tokenId === null ? by : by.slice(PERSON_MARK.length),
    door: tokenId === null ? "mqtt" : "mqtt-person",
    transaction,
    response,
    trail: trailOf(asker),
    mayWake: (device) =>
      rights.may("wake") && rights.reaches(directory.clusterOf(device)) && mayDo(device, asker, directory, "wake"),
  };
}

function partOf(part: WakeAnswerPart): WakePart {
  const { device, wake, stage, code, reason } = acceptedOf(part);
  return { device, wake, stage, ...(code !== undefined && { code }), ...(reason !== undefined && { reason }) };
}
