import type { EntityManager } from "@mikro-orm/postgresql";
import { PERSON_MARK } from "#contracts/principal.ts";
import { isDatabaseGone } from "../kernel/database-gone.ts";
import { HubError } from "../kernel/errors.ts";
import type { Sender } from "../kernel/link.ts";
import type { Trail } from "../kernel/trail.ts";
import { type LeaseHolding, hold, leaseAnswer, release } from "../leases/lease-holding.ts";
import { type Holder, type OpenLease, isHolder } from "../leases/lease.rules.ts";
import type { Leases } from "../leases/leases.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import type { Asker } from "../wake/running-wake.ts";
import { acceptedOf } from "../wake/wake-answer.ts";
import type { RequestAsker, Verb } from "./requests.messages.ts";

export interface LeaseRequestParts extends LeaseHolding {
  readonly leases: Leases;
  readonly directory: Directory;
  /** An entity manager bound to a site. */
  readonly boundTo: (siteId: string) => EntityManager;
  /** The audit log under the name of an MQTT client. */
  readonly trailOf: (sender: Sender) => Trail;
}

/** The verbs `lease` and `release`: for Home Assistant and whoever else holds machines on by MQTT. */
export function leaseVerbs(parts: LeaseRequestParts): {
  readonly lease: Verb<"lease">;
  readonly release: Verb<"release">;
} {
  const { leases, directory, boundTo, trailOf } = parts;
  const contextOf = (asker: RequestAsker, siteId: string) => {
    return { em: boundTo(siteId), leases, trail: trailOf(asker).in(siteId) };
  };
  return {
    lease: async ({ device: key, ...wish }, asker) => {
      const device = deviceOf(key, asker, directory);
      if (!mayWake(device, asker, directory))
        throw new HubError("FORBIDDEN", "You may not hold this device on", { field: "device" });
      const wished = { ...wish, device, holder: holderOf(asker), asker: wakeAskerOf(asker, parts) };
      const { lease, wake } = await told(hold(parts, contextOf(asker, device.siteId), wished, new Date()));
      return { lease: leaseAnswer(lease, device), wake: wake && wakePart(acceptedOf(wake)) };
    },
    release: async ({ device: key, lease: id }, asker) => {
      const mine = { ...holderOf(asker), mayForce: false };
      const found = id === undefined ? ofDevice(key ?? "", asker) : one(id, asker);
      for (const lease of found) await told(release(parts, contextOf(asker, lease.siteId), lease, mine, new Date()));
      return { released: found.length };
    },
  };

  function ofDevice(key: string, asker: RequestAsker): OpenLease[] {
    const device = deviceOf(key, asker, directory);
    const held = leases.on(device.id).filter((lease) => isHolder(lease, holderOf(asker)));
    if (held.length === 0) throw new HubError("NOT_FOUND", "You hold no lease on this device", { field: "device" });
    return held;
  }

  function one(id: string, asker: RequestAsker): OpenLease[] {
    const lease = leases.byId(id);
    const device = lease && directory.devices.byId(lease.deviceId);
    if (!lease || !device || !asker.rights.reaches(directory.clusterOf(device)))
      throw new HubError("NOT_FOUND", "There is no such open lease", { field: "lease" });
    return [lease];
  }
}

/** @throws HubError UNKNOWN_DEVICE */
function deviceOf(key: string, { rights }: RequestAsker, directory: Directory): DirectoryDevice {
  const device = directory.devices.byKey(key);
  if (!device || !rights.reaches(directory.clusterOf(device)))
    throw new HubError("UNKNOWN_DEVICE", `There is no device "${key}"`, { field: "device" });
  return device;
}

function holderOf({ by, tokenId }: RequestAsker): Holder {
  return tokenId === null ? { heldBy: by, holder: "mqtt" } : { heldBy: by.slice(PERSON_MARK.length), holder: "token" };
}

function mayWake(device: DirectoryDevice, { rights }: RequestAsker, directory: Directory): boolean {
  return rights.may("wake") && rights.mayWake(device, directory.clusterOf(device));
}

/** The wake has a transaction of its own: the answer to the request is the lease. */
function wakeAskerOf(asker: RequestAsker, { directory, trailOf }: LeaseRequestParts): Asker {
  const { tokenId, rights, response } = asker;
  return {
    by: holderOf(asker).heldBy,
    door: tokenId === null ? "mqtt" : "mqtt-person",
    transaction: null,
    response,
    trail: trailOf(asker),
    mayWake: (device) => rights.reaches(directory.clusterOf(device)) && mayWake(device, asker, directory),
  };
}

function wakePart({ device, wake, stage, code, reason }: ReturnType<typeof acceptedOf>) {
  return { device, wake, stage, ...(code !== undefined && { code }), ...(reason !== undefined && { reason }) };
}

async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isDatabaseGone(error)) throw error;
    throw new HubError("DATABASE_UNAVAILABLE", "The database does not answer; try again shortly", { cause: error });
  }
}
