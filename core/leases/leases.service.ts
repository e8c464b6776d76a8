import { randomUUID } from "node:crypto";
import type { EntityManager } from "@mikro-orm/postgresql";
import { Device } from "../devices/device.entity.ts";
import { HubError } from "../kernel/errors.ts";
import type { Trail } from "../kernel/trail.ts";
import type { DirectoryDevice } from "../members/directory.ts";
import { Site } from "../sites/site.entity.ts";
import { Lease } from "./lease.entity.ts";
import { type Holder, type OpenLease, endOf, isHolder } from "./lease.rules.ts";
import { type EndedBecause, type Leases, openLease } from "./leases.ts";

export interface LeasesContext {
  /** Bound to the site. */
  readonly em: EntityManager;
  readonly leases: Leases;
  readonly trail: Trail;
}

export interface LeaseWish {
  readonly until?: string | undefined;
  readonly forMinutes?: number | undefined;
  readonly reason?: string | undefined;
}

const MAX_ON_DEVICE = 100;
const MAX_OF_HOLDER = 1_000;

/**
 * Holds a device on. Who asks again with the same reason moves the end of the lease that there is: a double click, or an
 * automation that asks every minute, makes one.
 *
 * @throws HubError INVALID_INPUT (until), TOO_MANY_LEASES
 */
export async function startLease(
  { em, leases, trail }: LeasesContext,
  device: DirectoryDevice,
  holder: Holder,
  wish: LeaseWish,
  now: Date,
): Promise<{ lease: OpenLease; isNew: boolean }> {
  const until = endOf(wish, now);
  const reason = wish.reason ?? null;
  return await leases.inTurn(async () => {
    const same = leases
      .on(device.id)
      .find((lease) => lease.holder === holder.holder && lease.heldBy === holder.heldBy && lease.reason === reason);
    if (!same) checkRoom(leases, device, holder);
    const { lease, isNew } = await em.transactional(async (em) => {
      const known = same && (await em.findOne(Lease, { id: same.id, endedAt: null }));
      const row = known ?? newLease(em, device, { ...holder, reason, since: now });
      row.until = until;
      await em.flush();
      const details = { until: until?.toISOString() ?? null, reason, renewed: known !== undefined };
      await trail.write(em, { action: "lease.create", target: targetOf(device), details });
      return { lease: openLease(row), isNew: !known };
    });
    leases.put(lease);
    return { lease, isNew };
  });
}

/** @throws HubError TOO_MANY_LEASES */
function checkRoom(leases: Leases, device: DirectoryDevice, holder: Holder): void {
  if (leases.on(device.id).length >= MAX_ON_DEVICE)
    throw new HubError("TOO_MANY_LEASES", `A device can have ${MAX_ON_DEVICE} leases`);
  if (leases.countOf(holder, device.siteId) >= MAX_OF_HOLDER)
    throw new HubError("TOO_MANY_LEASES", `You can hold ${MAX_OF_HOLDER} leases`);
}

function newLease(
  em: EntityManager,
  device: DirectoryDevice,
  { heldBy, holder, reason, since }: Holder & { readonly reason: string | null; readonly since: Date },
): Lease {
  return em.create(Lease, {
    id: randomUUID(),
    site: em.getReference(Site, device.siteId),
    device: em.getReference(Device, device.id),
    heldBy: heldBy.slice(0, 80),
    holder,
    reason,
    since,
    until: null,
    endedAt: null,
    endedBecause: null,
  });
}

/**
 * Ends a lease: the holder gives it back, or somebody who may change the device takes it away.
 *
 * @throws HubError FORBIDDEN, LEASE_OVER
 */
export async function giveBack(
  context: LeasesContext,
  lease: OpenLease,
  asker: Holder & { readonly mayForce: boolean },
  now: Date,
): Promise<EndedBecause> {
  const because = isHolder(lease, asker) ? "released" : "forced";
  if (because === "forced" && !asker.mayForce)
    throw new HubError(
      "FORBIDDEN",
      `This lease is ${lease.heldBy}'s; only they, or who may change the device, can end it`,
    );
  const ended = await endLease(context.em, context.leases, { lease, because, now, trail: context.trail });
  if (!ended) throw new HubError("LEASE_OVER", "This lease is over already");
  return because;
}

/**
 * Writes the end of a lease. Of several hubs one alone gets true.
 *
 * @param trail of whoever ends it; null where time does.
 */
export async function endLease(
  em: EntityManager,
  leases: Leases,
  end: { readonly lease: OpenLease; readonly because: EndedBecause; readonly now: Date; readonly trail: Trail | null },
): Promise<boolean> {
  const { lease, because, now, trail } = end;
  return await leases.inTurn(async () => {
    const count = await em.transactional(async (em) => {
      // another hub may have moved its end meanwhile
      const where = { id: lease.id, endedAt: null, ...(because === "expired" && { until: { $lte: now } }) };
      const change = { endedAt: now, endedBecause: because };
      const ended = await em.nativeUpdate(Lease, where, change, { filters: { site: false } });
      const target = { type: "device", id: lease.deviceId, name: null };
      if (ended > 0 && trail) await trail.write(em, { action: "lease.end", target, details: { because } });
      return ended;
    });
    // what was moved meanwhile goes on
    if (count > 0 || leases.byId(lease.id)?.until?.getTime() === lease.until?.getTime()) leases.remove(lease.id);
    return count > 0;
  });
}

function targetOf({ id, key }: DirectoryDevice) {
  return { type: "device", id, name: key };
}
