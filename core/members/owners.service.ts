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
  const rows = await sharesOf(em, thing);
  const wanted = new Map(shares.map(({ userId, level }) => [userId, level]));
  for (const row of rows) {
    const level = wanted.get(row.user.id);
    if (level === undefined) em.remove(row);
    else row.level = level;
    wanted.delete(row.user.id); // whoever has it already may have been disabled meanwhile
  }
  for (const [userId, level] of wanted) {
    if (!isMember(userId)) {
      const index = shares.findIndex((share) => share.userId === userId);
      throw new HubError("INVALID_INPUT", "This is no user of the site", { field: `shares.${index}.userId` });
    }
    const share = { user: userId, site: thing.site.id, level };
    if ("mac" in thing) em.create(DeviceShare, { device: thing.id, ...share });
    else em.create(ClusterShare, { cluster: thing.id, ...share });
  }
  await em.flush();
}

async function sharesOf(em: EntityManager, thing: Device | Cluster): Promise<readonly (DeviceShare | ClusterShare)[]> {
  return "mac" in thing
    ? await em.find(DeviceShare, { device: thing.id })
    : await em.find(ClusterShare, { cluster: thing.id });
}
