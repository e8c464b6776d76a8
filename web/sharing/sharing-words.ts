import type { UserName } from "#contracts/api/accounts.ts";
import type { Actor, Owned, Share } from "#contracts/rights.ts";
import type { NamedUser } from "../api/users.ts";

/** Somebody by their id; undefined while nobody is known by it. */
type UserOf = (userId: string) => NamedUser | undefined;

const list = new Intl.ListFormat("en", { type: "conjunction" });

export function userWords({ username, fullName }: UserName): string {
  return fullName === null ? username : `${fullName} (${username})`;
}

export function ownerWords({ ownerId }: Owned, actor: Actor, userOf: UserOf): string {
  return ownerId === null ? "nobody" : nameOf(ownerId, actor, userOf);
}

/** With whom it is shared, whoever reads it first: `you (may wake it) and Carla`. Empty when it is not shared. */
export function shareWords({ shares }: Owned, actor: Actor, userOf: UserOf): string {
  const isOwn = ({ userId }: Share) => userId === actor.userId;
  const sorted = shares.toSorted((one, other) => Number(isOwn(other)) - Number(isOwn(one)));
  return list.format(
    sorted.map(({ userId, level }) => {
      const mayWake = level === "wake" && userOf(userId)?.role !== "viewer";
      return `${nameOf(userId, actor, userOf)}${mayWake ? " (may wake it)" : ""}`;
    }),
  );
}

function nameOf(userId: string, actor: Actor, userOf: UserOf): string {
  if (userId === actor.userId) return "you";
  const user = userOf(userId);
  return user?.fullName ?? user?.username ?? "somebody else";
}
