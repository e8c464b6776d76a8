import type { EntityManager } from "@mikro-orm/postgresql";
import type { Actor, Share } from "#contracts/permissions.ts";
import { reachFor } from "#contracts/permissions.ts";
import type { Accounts } from "../auth/accounts.ts";
import { User } from "../auth/user.entity.ts";
import type { Cluster } from "../clusters/cluster.entity.ts";
import type { Device } from "../devices/device.entity.ts";
import { HubError } from "../kernel/errors.ts";
import { ClusterShare, DeviceShare } from "./share.entity.ts";

/** Who asks for a change, and who there is to own and share. */
export interface OwnersContext {
  readonly actor: Actor;
  readonly accounts: Accounts;
}

export interface OwnersChange {
  readonly ownerId?: string | null | undefined;
  readonly shares?: readonly Share[] | undefined;
}

/**
 * Hands a device or cluster on, and sets with whom it is shared. Owners may share what is theirs; only who may change
 * everything of its kind hands it on.
 *
 * @throws HubError FORBIDDEN (ownerId), INVALID_INPUT (ownerId, shares) for somebody who does not belong to the site.
 */
export async function setOwners(
  em: EntityManager,
  { actor, accounts }: OwnersContext,
  thing: Device | Cluster,
  { ownerId, shares }: OwnersChange,
): Promise<void> {
  const isMember = (userId: string) => accounts.roleIn(userId, thing.site.id) !== undefined;
  if (ownerId !== undefined && ownerId !== (thing.owner?.id ?? null)) {
    if (reachFor(actor, "mac" in thing ? "device:change" : "cluster:change") !== "any")
      throw new HubError("FORBIDDEN", "Only administrators hand things on", { field: "ownerId" });
    if (ownerId !== null && !isMember(ownerId))
      throw new HubError("INVALID_INPUT", "This is no user of the site", { field: "ownerId" });
    thing.owner = ownerId === null ? null : em.getReference(User, ownerId, { wrapped: true });
  }
  if (shares === undefined) return;
  if (shares.some(({ userId }) => !isMember(userId)))
    throw new HubError("INVALID_INPUT", "Somebody here is no user of the site", { field: "shares" });
  await replaceShares(em, thing, shares);
}

async function replaceShares(em: EntityManager, thing: Device | Cluster, shares: readonly Share[]): Promise<void> {
  if ("mac" in thing) {
    await em.nativeDelete(DeviceShare, { device: thing.id });
    for (const { userId, level } of shares)
      em.create(DeviceShare, { device: thing.id, user: userId, site: thing.site.id, level });
  } else {
    await em.nativeDelete(ClusterShare, { cluster: thing.id });
    for (const { userId, level } of shares)
      em.create(ClusterShare, { cluster: thing.id, user: userId, site: thing.site.id, level });
  }
  await em.flush();
}
