import type { LeaseAnswer } from "#contracts/api/leases.ts";
import { Key } from "#contracts/key.ts";
import type { DirectoryDevice } from "../members/directory.ts";
import type { PowerStates } from "../power/power-states.ts";
import type { Asker } from "../wake/running-wake.ts";
import type { WakeAnswerPart } from "../wake/wake-answer.ts";
import type { WakeService } from "../wake/wake.service.ts";
import type { LeaseEnds } from "./lease-ends.ts";
import type { Holder, OpenLease } from "./lease.rules.ts";
import { type LeaseWish, type LeasesContext, giveBack, startLease } from "./leases.service.ts";

/** What every door to leases needs. */
export interface LeaseHolding {
  readonly wakes: Pick<WakeService, "request">;
  readonly power: Pick<PowerStates, "of">;
  /** What is on its way down when somebody comes to hold it on. */
  readonly powerOffs: {
    isUnderWay(deviceId: string): boolean;
    /** Takes a power-off back that may not overrule leases, as far as that can be done. */
    takeBack(deviceId: string, by: string): void;
  };
  readonly ends: Pick<LeaseEnds, "ended">;
  readonly onStarted: (lease: OpenLease, device: DirectoryDevice) => void;
}

/**
 * Holds a device on, and wakes it where it is not on, or on its way down.
 *
 * @throws HubError INVALID_INPUT (until), TOO_MANY_LEASES
 */
export async function hold(
  { wakes, power, powerOffs, onStarted }: LeaseHolding,
  context: LeasesContext,
  wish: LeaseWish & {
    readonly device: DirectoryDevice;
    readonly holder: Holder;
    readonly wake: boolean;
    readonly asker: Asker;
  },
  now: Date,
): Promise<{ lease: OpenLease; wake: WakeAnswerPart | null }> {
  const { device, holder, wake, asker } = wish;
  const { lease, isNew } = await startLease(context, device, holder, wish, now);
  if (isNew) onStarted(lease, device);
  if (isNew && !wake) powerOffs.takeBack(device.id, holder.heldBy);
  const staysOn = power.of(device.id).power === "on" && !powerOffs.isUnderWay(device.id);
  const [part] = wake && !staysOn ? wakes.request([device], asker, { force: false }) : [];
  return { lease, wake: part ?? null };
}

/** Ends a lease, with what follows. @throws HubError FORBIDDEN, LEASE_OVER */
export async function release(
  { ends }: Pick<LeaseHolding, "ends">,
  context: LeasesContext,
  lease: OpenLease,
  asker: Holder & { readonly mayForce: boolean },
  now: Date,
): Promise<void> {
  ends.ended(lease, await giveBack(context, lease, asker, now));
}

export function leaseAnswer(lease: OpenLease, device: Pick<DirectoryDevice, "key">): LeaseAnswer {
  const { id, deviceId, heldBy, holder, reason, since, until } = lease;
  return {
    id,
    device: Key.parse(device.key),
    deviceId,
    heldBy,
    holder,
    reason,
    since: since.toISOString(),
    until: until?.toISOString() ?? null,
    endedAt: null,
    endedBecause: null,
  };
}
