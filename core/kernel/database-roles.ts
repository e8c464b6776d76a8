import type { Client } from "pg";
import { HUB_ROLE, REQUEST_ROLE } from "./site-filter.ts";
import { StartError } from "./start-error.ts";

const FILE = "docs/database-roles.sql";

/** Makes the roles and lets the login take them: what `docs/database-roles.sql` holds, for whoever may run it. */
export const ROLES = `
do $$ begin
  if not exists (select from pg_roles where rolname = '${HUB_ROLE}') then create role ${HUB_ROLE} nologin; end if;
exception when duplicate_object or unique_violation then null; end $$;
do $$ begin
  if not exists (select from pg_roles where rolname = '${REQUEST_ROLE}') then create role ${REQUEST_ROLE} nologin; end if;
exception when duplicate_object or unique_violation then null; end $$;
`;

const CAN_TAKE = `select count(*)::int as roles from pg_roles
  where rolname in ('${HUB_ROLE}', '${REQUEST_ROLE}') and pg_has_role(current_user, oid, 'member')`;

/**
 * Makes sure that both roles are there and that the hub's login may take them. A database of one's own whose login may not
 * make roles gets them from an administrator.
 *
 * @throws StartError that names the file to run.
 */
export async function ensureRoles(client: Client): Promise<void> {
  const { user } = client;
  if (await hasRoles(client)) return;
  try {
    await client.query(ROLES);
    await client.query(`grant ${HUB_ROLE}, ${REQUEST_ROLE} to current_user`);
  } catch (error) {
    throw new StartError(
      `The database login ${user ?? ""} may not take the roles ${HUB_ROLE} and ${REQUEST_ROLE}, and may not make them. ` +
        `Run ${FILE} once as an administrator of the database: psql -v login=${user ?? "…"} -f ${FILE}`,
      { cause: error },
    );
  }
}

async function hasRoles(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ roles: number }>(CAN_TAKE);
  return rows[0]?.roles === 2;
}
