import type { EntityManager } from "@mikro-orm/postgresql";
import {
  type PowerMethod as Method,
  type PowerMethodAnswer,
  type PowerMethodBody,
  PowerMethodSecrets,
} from "#contracts/api/power-methods.ts";
import { type Actor, reachFor } from "#contracts/permissions.ts";
import { Device } from "../devices/device.entity.ts";
import { HubError } from "../kernel/errors.ts";
import { OutboundError, type Outbound } from "../kernel/outbound.ts";
import type { SealedSecrets } from "../kernel/sealed-secrets.ts";
import type { DirectoryDevice } from "../members/directory.ts";
import { type MembersContext, changeMembers } from "../members/members.service.ts";
import { PowerMethod } from "./power-method.entity.ts";
import { newSshKey, publicKeyOf } from "./ssh.ts";

export interface PowerMethodsContext extends MembersContext {
  readonly secrets: SealedSecrets;
  readonly outbound: Outbound;
  /** Whether a topic is one of the hub's own, or of discovery. */
  readonly isOwnTopic: (topic: string) => boolean;
}

const KINDS_OF_SECRET = ["privateKey", "passphrase", "headers"] as const;

/** The way that is set, without what is secret in it. */
export async function readPowerMethod(
  { em, secrets }: Pick<PowerMethodsContext, "em" | "secrets">,
  deviceId: string,
): Promise<PowerMethodAnswer> {
  const row = await em.findOne(PowerMethod, { device: deviceId });
  return row ? answerOf(row.method, await opened(row, secrets)) : { method: null, secretsSet: [], publicKey: null };
}

/**
 * Sets the other way of powering a device off. Secrets that are not named stay as they are, and SSH gets a key of the hub's own
 * unless one is given.
 *
 * @throws HubError FORBIDDEN (method), INVALID_INPUT (secrets.privateKey, method.topic, method.requests.…)
 */
export async function setPowerMethod(
  context: PowerMethodsContext,
  { id, key }: DirectoryDevice,
  { method, secrets: given }: PowerMethodBody,
  now: Date,
): Promise<PowerMethodAnswer> {
  checkMethod(context, method);
  return await changeMembers(context, async (em) => {
    const device = await em.findOneOrFail(Device, { id });
    const row = await em.findOne(PowerMethod, { device: id });
    const kept = row?.method.type === method.type ? await opened(row, context.secrets) : {};
    const secrets = completed(method, { ...kept, ...withoutUnnamed(given) }, key);
    const fields = { method, sealed: await sealedOrNull(context.secrets, id, secrets), updatedAt: now };
    if (row) Object.assign(row, fields);
    else em.create(PowerMethod, { device: em.getReference(Device, id), site: device.site, ...fields });
    await em.flush();
    const target = { type: "device", id, name: key };
    const event = { action: "device.power-method", target, details: { type: method.type } } as const;
    return { result: answerOf(method, secrets), touched: { devices: [device] }, event };
  });
}

/** Takes the other way away, with its secrets. */
export async function removePowerMethod(context: MembersContext, { id, key }: DirectoryDevice): Promise<void> {
  await changeMembers(context, async (em) => {
    const device = await em.findOneOrFail(Device, { id });
    await em.nativeDelete(PowerMethod, { device: id });
    const target = { type: "device", id, name: key };
    const event = { action: "device.power-method", target, details: { type: null } } as const;
    return { result: undefined, touched: { devices: [device] }, event };
  });
}

/** The host key that a machine showed at its first command. */
export async function pinHostKey(context: MembersContext, { id }: DirectoryDevice, hostKey: string): Promise<void> {
  await changeMembers(context, async (em) => {
    const row = await em.findOne(PowerMethod, { device: id }, { populate: ["device"] });
    if (row?.method.type !== "ssh" || row.method.hostKey !== null) return { result: undefined, touched: {} };
    row.method = { ...row.method, hostKey };
    await em.flush();
    return { result: undefined, touched: { devices: [row.device.unwrap()] } };
  });
}

/** Seals everything with the key in use. Every site. @returns how many were sealed anew. */
export async function sealAnew(em: EntityManager, secrets: SealedSecrets): Promise<number> {
  const rows = await em.find(PowerMethod, { sealed: { $ne: null } }, { filters: { site: false } });
  let count = 0;
  for (const row of rows) {
    if (row.sealed === null || row.sealed === undefined || secrets.isCurrent(row.sealed)) continue;
    row.sealed = await secrets.seal(row.device.id, (await secrets.open(row.device.id, row.sealed)) as object);
    count += 1;
  }
  await em.flush();
  return count;
}

/** Ways that reach beyond the device itself act with the hub's own rights, so they are for those who may manage the site. */
export function maySetMethod(actor: Actor, { type }: Pick<Method, "type">): boolean {
  return type === "ssh" || reachFor(actor, "mqtt-client:manage") === "any";
}

function checkMethod({ outbound, isOwnTopic }: PowerMethodsContext, method: Method): void {
  if (method.type === "mqtt") {
    for (const field of ["topic", "stateTopic", "wattsTopic"] as const)
      if (isOwnTopic(method[field] ?? ""))
        throw new HubError("INVALID_INPUT", "This topic is the hub's own", { field: `method.${field}` });
  }
  if (method.type !== "http") return;
  for (const [action, { url }] of Object.entries(method.requests)) {
    try {
      outbound.check(url);
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
      throw new HubError("INVALID_INPUT", error.message, { field: `method.requests.${action}.url` });
    }
  }
}

function completed(method: Method, secrets: PowerMethodSecrets, key: string): PowerMethodSecrets {
  const { privateKey = null, passphrase = null, headers = null } = secrets;
  if (method.type === "mqtt") return {};
  if (method.type === "http") return { headers };
  if (privateKey === null) return { privateKey: newSshKey(`powerbeacon-${key}`), passphrase: null };
  const checked = publicKeyOf(privateKey, passphrase);
  if (!checked.ok) throw new HubError("INVALID_INPUT", checked.problem, { field: "secrets.privateKey" });
  return { privateKey, passphrase };
}

function withoutUnnamed(given: PowerMethodSecrets): PowerMethodSecrets {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

async function opened(row: PowerMethod, secrets: SealedSecrets): Promise<PowerMethodSecrets> {
  return row.sealed ? PowerMethodSecrets.parse(await secrets.open(row.device.id, row.sealed)) : {};
}

async function sealedOrNull(secrets: SealedSecrets, id: string, content: PowerMethodSecrets): Promise<string | null> {
  const isEmpty = KINDS_OF_SECRET.every((kind) => (content[kind] ?? null) === null);
  return isEmpty ? null : await secrets.seal(id, content);
}

function answerOf(method: Method, secrets: PowerMethodSecrets): PowerMethodAnswer {
  const { privateKey = null, passphrase = null } = secrets;
  const key = privateKey === null ? undefined : publicKeyOf(privateKey, passphrase);
  return {
    method,
    secretsSet: KINDS_OF_SECRET.filter((kind) => (secrets[kind] ?? null) !== null),
    publicKey: key?.ok === true ? key.line : null,
  };
}
