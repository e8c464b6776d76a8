import type { EntityManager } from "@mikro-orm/postgresql";
import { randomUUID } from "node:crypto";
import { Username } from "#contracts/api/accounts.ts";
import { appendRecords } from "../audit/append.ts";
import { recordOf } from "../audit/audit.rules.ts";
import { HubError } from "../kernel/errors.ts";
import { randomSecret } from "../kernel/tokens.ts";
import type { TrailSource } from "../kernel/trail.ts";
import { findByName, targetOf } from "./auth.service.ts";
import { hashPassword } from "./passwords.ts";
import { User } from "./user.entity.ts";

const COMMAND: TrailSource = {
  siteId: null,
  actor: { type: "system", id: null, name: "powerbeacon recover" },
  address: null,
  requestId: null,
};

/**
 * Makes a new superuser, for whoever has lost all others and may use the hub's own machine. Its password
 * opens nothing but the choice of another one.
 *
 * @param name `recovery-1`, or the next of these that is free, unless said otherwise.
 * @throws HubError INVALID_INPUT, DUPLICATE (username)
 */
export async function recover(
  em: EntityManager,
  name: string | undefined,
  now: Date,
): Promise<{ readonly username: string; readonly password: string }> {
  const password = randomSecret();
  const passwordHash = await hashPassword(password);
  return await em.transactional(async (em) => {
    const username = name === undefined ? await freeName(em) : await checkedName(em, name);
    const user = em.create(User, {
      id: randomUUID(),
      username,
      superuser: true,
      passwordHash,
      mustChangePassword: true,
      createdAt: now,
    });
    await em.flush();
    await appendRecords(em, [recordOf(COMMAND, { action: "hub.recover", target: targetOf(user) }, now)]);
    return { username, password };
  });
}

async function freeName(em: EntityManager): Promise<string> {
  for (let n = 1; ; n++) if (!(await findByName(em, `recovery-${n}`))) return `recovery-${n}`;
}

async function checkedName(em: EntityManager, name: string): Promise<string> {
  const { data: username, error } = Username.safeParse(name);
  if (username === undefined)
    throw new HubError("INVALID_INPUT", `The user name ${error?.issues[0]?.message ?? "is not valid"}`, {
      field: "username",
    });
  if (await findByName(em, username))
    throw new HubError("DUPLICATE", `The user name ${username} is taken; choose another`, { field: "username" });
  return username;
}
