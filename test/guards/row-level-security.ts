import { randomUUID } from "node:crypto";
import type { Client } from "pg";
import { HUB_ROLE, REQUEST_ROLE } from "#core/kernel/site-filter.ts";

/**
 * What the catalogue of Postgres says about tables with rows of a site, and rows for any of them made from nothing but the
 * catalogue: a table that somebody adds is checked without a word here.
 */

/** A table whose rows belong to a site. */
export interface SiteTable {
  readonly name: string;
  /** What holds the site's id: `site_id`, or the `id` of a site itself. */
  readonly column: string;
}

const SITE_TABLES = `select c.relname as name, a.attname as column from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attname = case c.relname when 'site' then 'id' else 'site_id' end and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1`;

export async function siteTables(client: Client): Promise<SiteTable[]> {
  return (await client.query<SiteTable>(SITE_TABLES)).rows;
}

/** Everything in the catalogue that would let a row of a site be seen elsewhere, or be found slowly; one line each. */
export async function problemsOf(client: Client): Promise<string[]> {
  const tables = await siteTables(client);
  const problems: string[] = [];
  for (const table of tables) problems.push(...(await problemsOfTable(client, table)));
  return [...problems, ...(await escapes(client, tables))];
}

async function problemsOfTable(client: Client, { name, column }: SiteTable): Promise<string[]> {
  const [security] = (await client.query(FLAGS, [name])).rows as { enabled: boolean; forced: boolean }[];
  const policies = (await client.query(POLICIES, [name])).rows as Policy[];
  const indexes = (await client.query(LED_BY, [name, column])).rows;
  const ofRequest = policies.filter(({ roles }) => roles.includes(REQUEST_ROLE));
  const isOfSite = (rule: string | null) =>
    rule !== null && new RegExp(`^\\(${column} = .*current_setting\\('powerbeacon\\.site'::text, true\\)`).test(rule);
  const checks: Readonly<Record<string, boolean>> = {
    "row-level security is off": security?.enabled === true,
    "row-level security is not forced on the owner": security?.forced === true,
    "there is not exactly one policy for requests, on all commands":
      ofRequest.length === 1 && ofRequest[0]?.cmd === "ALL",
    "the policy for requests does not compare the site": ofRequest.every(
      (p) => isOfSite(p.qual) && isOfSite(p.with_check),
    ),
    "there is no policy for the hub": policies.some(({ roles, qual }) => roles.join() === HUB_ROLE && qual === "true"),
    "a policy is for somebody else": policies.every(({ roles }) => roles.every((role) => OURS.has(role))),
    "no index begins with the site": indexes.length > 0,
  };
  return Object.entries(checks).flatMap(([problem, holds]) => (holds ? [] : [`${name}: ${problem}`]));
}

interface Policy {
  readonly roles: readonly string[];
  readonly cmd: string;
  readonly qual: string | null;
  readonly with_check: string | null;
}

const OURS: ReadonlySet<string> = new Set([HUB_ROLE, REQUEST_ROLE]);
const FLAGS = `select relrowsecurity as enabled, relforcerowsecurity as forced from pg_class where oid = quote_ident($1)::regclass`;
const POLICIES = `select roles::text[] as roles, cmd, qual, with_check from pg_policies where tablename = $1 and permissive = 'PERMISSIVE'`;
const LED_BY = `select 1 from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
  where i.indrelid = quote_ident($1)::regclass and a.attname = $2 and i.indisvalid and i.indpred is null`;

/** Rows of the hub that only name a site: where new accounts go. */
const NAMES_A_SITE = new Set(["provider"]);

/** Tables that hang on rows of a site and carry none themselves, and views, which see with their owner's eyes. */
async function escapes(client: Client, tables: readonly SiteTable[]): Promise<string[]> {
  const names = tables.map(({ name }) => name);
  const { rows: hanging } = await client.query<{ name: string }>(
    `select distinct conrelid::regclass::text as name from pg_constraint
     where contype = 'f' and confrelid = any (select quote_ident(n)::regclass from unnest($1::text[]) as n)
     and not conrelid = any (select quote_ident(n)::regclass from unnest($1::text[]) as n)`,
    [names],
  );
  const { rows: views } = await client.query<{ name: string }>(
    "select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')",
  );
  return [
    ...hanging
      .filter(({ name }) => !NAMES_A_SITE.has(name))
      .map(({ name }) => `${name}: hangs on rows of a site without one`),
    ...views.map(({ name }) => `${name}: a view`),
  ];
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly length: number | null;
  readonly is_needed: boolean;
  readonly is_key: boolean;
  /** The table that it refers to. */
  readonly refers: string | null;
}

const COLUMNS = `select a.attname as name, format_type(a.atttypid, null) as type,
    case when a.atttypmod > 0 then a.atttypmod - 4 end as length, a.attnotnull and not a.atthasdef as is_needed,
    exists (select from pg_index i where i.indrelid = a.attrelid and i.indisprimary and a.attnum = any (i.indkey)) as is_key,
    (select f.confrelid::regclass::text from pg_constraint f
      where f.conrelid = a.attrelid and f.contype = 'f' and f.conkey = array[a.attnum]) as refers
  from pg_attribute a where a.attrelid = quote_ident($1)::regclass and a.attnum > 0 and not a.attisdropped`;

/** Makes rows of one site in any table, with the rows that they refer to. */
export class RowMaker {
  readonly #client: Client;
  readonly siteId: string;
  readonly #made = new Map<string, unknown>();

  /** @param client of a login that no policy binds. */
  constructor(client: Client, siteId: string) {
    this.#client = client;
    this.siteId = siteId;
  }

  /** A row that is not there yet: columns and values. What it refers to is made. */
  async values(table: SiteTable): Promise<Record<string, unknown>> {
    const columns = (await this.#client.query<Column>(COLUMNS, [table.name])).rows;
    const row: Record<string, unknown> = {};
    for (const column of columns) {
      if (column.name === table.column) row[column.name] = this.siteId;
      else if (column.is_needed) row[column.name] = await this.#valueFor(column);
    }
    return row;
  }

  /** Puts a row in. @returns where it lies in its table. */
  async add(table: SiteTable): Promise<string> {
    const [sql, values] = insertion(table.name, await this.values(table));
    const { rows } = await this.#client.query<{ ctid: string }>(`${sql} returning ctid::text`, values);
    return rows[0]?.ctid ?? "";
  }

  async #valueFor(column: Column): Promise<unknown> {
    if (column.refers === null) return valueOf(column);
    // a key that refers to a row is free only as long as that row is new
    const known = column.is_key ? undefined : this.#made.get(column.refers);
    if (known !== undefined) return known;
    const name = column.refers.replaceAll('"', "");
    const row = await this.values({ name, column: "site_id" });
    await this.#client.query(...insertion(name, row));
    this.#made.set(column.refers, row["id"]);
    return row["id"];
  }
}

/** A statement that puts a row in, with its parameters. */
export function insertion(table: string, row: Readonly<Record<string, unknown>>): [sql: string, values: unknown[]] {
  const names = Object.keys(row).map((name) => `"${name}"`);
  const places = names.map((_name, index) => `$${index + 1}`);
  return [`insert into "${table}" (${names.join(", ")}) values (${places.join(", ")})`, Object.values(row)];
}

function valueOf({ type, length, name }: Column): unknown {
  if (type.endsWith("[]")) return [];
  if (type.startsWith("character") || type === "text")
    return randomUUID()
      .replaceAll("-", "")
      .slice(0, length ?? 32);
  if (type.startsWith("timestamp") || type === "date") return new Date();
  const value = VALUES[type];
  if (!value) throw new Error(`no value is known for ${name} of type ${type}`);
  return value();
}

const VALUES: Readonly<Record<string, () => unknown>> = {
  uuid: () => randomUUID(),
  boolean: () => false,
  smallint: () => 1,
  integer: () => 1,
  bigint: () => Math.floor(Math.random() * 1e12),
  "double precision": () => 1,
  bytea: () => Buffer.from("bytes"),
  json: () => "[]",
  jsonb: () => "[]",
};
