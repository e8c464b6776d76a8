import { type Actor, type Share, reachFor } from "#contracts/permissions.ts";

interface Answer {
  readonly agentIds: readonly string[];
  readonly ownerId: string | null;
  readonly shares: readonly Share[];
}

/** A device or cluster as somebody may see it: agents and users are left out for whoever may not see any. */
export function visibleTo<Seen extends Answer>(actor: Actor, answer: Seen): Seen {
  const seesAgents = reachFor(actor, "agent:read") !== undefined;
  const seesUsers = seesUsersOf(actor);
  if (seesAgents && seesUsers) return answer;
  return { ...answer, ...(!seesAgents && { agentIds: [] }), ...(!seesUsers && { ownerId: null, shares: [] }) };
}

/** A token never reaches accounts, but what its owner shares is part of a device. */
function seesUsersOf({ userId, role }: Actor): boolean {
  return reachFor({ userId, role, permissions: null }, "user:read") !== undefined;
}
