import { type EntityManager, LockMode } from "@mikro-orm/postgresql";
import { Identity } from "../auth/identity.entity.ts";
import { User } from "../auth/user.entity.ts";
import { HubError } from "../kernel/errors.ts";
import type { Trail } from "../kernel/trail.ts";

/**
 * Takes a link away, unless nothing else would let the user in.
 *
 * @param em the hub's own.
 * @throws HubError NOT_FOUND, LAST_WAY_IN
 */
export async function unlinkIdentity(
  { em, trail }: { em: EntityManager; trail: Trail },
  userId: string,
  id: string,
): Promise<void> {
  await em.transactional(async (em) => {
    // the row holds up whoever takes another link away at the same moment
    const user = await em.findOneOrFail(User, { id: userId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    const own = await em.find(Identity, { user: userId });
    const identity = own.find((candidate) => candidate.id === id);
    if (!identity) throw new HubError("NOT_FOUND", "There is no such link");
    if (own.length === 1 && user.passwordHash === null)
      throw new HubError("LAST_WAY_IN", "This is the only way to log in to the account; set a password first");
    em.remove(identity);
    await em.flush();
    const target = { type: "user", id: userId, name: user.username };
    await trail.write(em, { action: "identity.unlink", target, details: { issuer: identity.issuer } });
  });
}
