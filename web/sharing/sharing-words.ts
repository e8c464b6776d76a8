import type { UserName } from "#contracts/api/accounts.ts";
import type { Actor, Owned, Share } from "#contracts/rights.ts";

/** What somebody is called here, by their id; undefined while it is not known. */
export type NameOf = (userId: string) => string | undefined;

const list = new Intl.ListFormat("en", { type: "conjunction" });

export function userWords({ username, fullName }: UserName): string {
  return fullName === null ? username : `${fullName} (${username})`;
}

export function ownerWords({ ownerId }: Owned, actor: Actor, nameOf: NameOf): string {
  if (ownerId === null) return "nobody";
  return ownerId === actor.userId ? "you" : (nameOf(ownerId) ?? "somebody else");
}

/** With whom it is shared, whoever reads it first: `you (may wake it) and Carla`. Empty when it is not shared. */
export function shareWords({ shares }: Owned, actor: Actor, nameOf: NameOf): string {
  const isOwn = ({ userId }: Share) => userId === actor.userId;
  const sorted = shares.toSorted((one, other) => Number(isOwn(other)) - Number(isOwn(one)));
  return list.format(
    sorted.map((share) => {
      const name = isOwn(share) ? "you" : (nameOf(share.userId) ?? "somebody else");
      return share.level === "wake" ? `${name} (may wake it)` : name;
    }),
  );
}
