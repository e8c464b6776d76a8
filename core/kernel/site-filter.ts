import type { TriggerDef } from "@mikro-orm/core";

/**
 * How rows that belong to a site are kept apart: by a filter of the ORM, and below it by Postgres itself, which holds when
 * the filter is forgotten or a statement is written by hand.
 *
 * `database.bound(siteId)` makes an entity manager for one site: filter, role and setting.
 */

/** Takes part in every transaction for somebody: it sees the rows of the site that the transaction names, and nothing else. */
export const REQUEST_ROLE = "powerbeacon_request";
/** The hub itself, which reads all sites at its start and writes behind all of them. Its login is a member. */
export const HUB_ROLE = "powerbeacon_hub";
/** The site of a transaction. Unset: no rows. */
export const SITE_SETTING = "powerbeacon.site";

export const CURRENT_SITE = `nullif(current_setting('${SITE_SETTING}', true), '')::uuid`;

/** The filter of every row that belongs to a site: on unless named otherwise, and a query without its parameter throws. */
export const siteFilter = {
  site: { name: "site", cond: (args: { siteId?: string }) => ({ site: args.siteId }), default: true, args: true },
} as const;

/** The policies of a table whose rows belong to a site. @param column what holds the site's id. */
export function sitePolicies(table: string, column = "site_id") {
  const ofSite = `${column} = ${CURRENT_SITE}`;
  return {
    rowLevelSecurity: "force" as const,
    policies: [
      { name: `${table}_of_site`, roles: [REQUEST_ROLE], using: ofSite, check: ofSite },
      { name: `${table}_of_hub`, roles: [HUB_ROLE], using: "true", check: "true" },
    ],
  };
}

/**
 * The trigger that keeps a row in the site of what it names. Foreign keys look past row-level security, so they alone would
 * let a row of one site name a thing of another.
 *
 * @param references the table that each column names.
 */
export function sameSite(table: string, references: Readonly<Record<string, string>>): TriggerDef {
  const checks = Object.entries(references).map(
    ([column, of]) => `exists (select from "${of}" o where o.id = new.${column} and o.site_id = new.site_id)`,
  );
  return {
    name: `${table}_same_site`,
    timing: "after",
    events: ["insert", "update"],
    forEach: "row",
    body: `if not (${checks.join(" and ")}) then
        raise exception 'this belongs to another site' using errcode = 'foreign_key_violation', constraint = 'same_site'; end if;
      return new;`,
  };
}
