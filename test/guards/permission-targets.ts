import { randomUUID } from "node:crypto";
import { query } from "#test/fixtures/database.ts";
import type { TestHub } from "#test/fixtures/hub.ts";
import type { TestSite } from "#test/fixtures/people.ts";
import type { Role, Target } from "./permission-table.ts";
import { type Ownership, openThings } from "./permission-things.ts";
import type { MatrixCaller } from "./permission-world.ts";

/** Something real that a call is about. */
export interface MatrixTarget extends Target {
  /** One that is there from the beginning, and is the same in the end. */
  standing(): Promise<string>;
  /** Another one of its kind, which may be changed. */
  changing(): Promise<string>;
  /** Another one of its kind, which nobody else is after. */
  fresh(): Promise<string>;
}

export interface Targets {
  /** What a caller names at a route; undefined for routes that name nothing. */
  of(route: string, caller: MatrixCaller): MatrixTarget[] | undefined;
  /** Makes everything that a caller will name. */
  prepare(caller: MatrixCaller): Promise<void>;
  /** Everything that stands there, as the database has it. */
  state(): Promise<unknown>;
  close(): Promise<void>;
}

type SiteName = "home" | "away";
type Make = () => Promise<string>;

/** What calls themselves leave behind at whoever makes them. */
const WRITTEN_BEHIND = ["full_name", "last_used_at", "last_login_at", "last_address", "expires_at"];
const TABLES: Readonly<Record<string, string>> = {
  "/api/devices": "device",
  "/api/clusters": "cluster",
  "/api/wakes": "wake",
  "/api/power-offs": "power_off",
  "/api/schedules": "schedule",
  "/api/leases": "lease",
  "/api/agents": "agent",
  "/api/enrolments": "enrolment",
  "/api/mqtt-clients": "mqtt_client",
  "/api/users": "user",
  "/api/sites": "site",
  "/api/auth/sessions": "session",
  "/api/tokens": "token",
  "/api/auth/identities": "identity",
};

export async function openTargets(hub: TestHub, sites: Readonly<Record<SiteName, TestSite>>): Promise<Targets> {
  const things = await openThings(hub, Object.values(sites));
  const standing = new Map<string, Promise<string>>();
  const changing = new Map<string, Promise<string>>();
  const nobodys = randomUUID();

  function target(key: string, rights: Target, make: Make): MatrixTarget {
    const oneIn = (kept: Map<string, Promise<string>>) => () => {
      const made = kept.get(key) ?? make();
      kept.set(key, made);
      return made;
    };
    return { ...rights, standing: oneIn(standing), changing: oneIn(changing), fresh: make };
  }

  const unknown = target("unknown", { name: "one that does not exist", site: null }, async () => nobodys);

  /** What somebody owns, what is shared with somebody, and what is others'. */
  function owned(
    kind: "device" | "cluster" | "wake" | "powerOff" | "schedule" | "lease",
    { person, site }: MatrixCaller,
  ): MatrixTarget[] {
    const [here, there] = sidesOf(site);
    const of = (name: string, at: SiteName, rights: Ownership, wakerId: string | null = null) =>
      target(
        `${kind} ${name} ${at} ${JSON.stringify(rights)}`,
        { name, site: at, ownerId: rights.ownerId, wakerId },
        () => things[kind](sites[at], rights),
      );
    const other = { ownerId: things.neighbour(sites[here]).id };
    const elsewhere = { ownerId: things.neighbour(sites[there]).id };
    const others = [of("somebody else's", here, other), of("one of another site", there, elsewhere), unknown];
    if (person === null || site === "foreign") return others;
    const { id: userId } = person;
    // who may wake a device holds it on, and ends nobody else's lease; schedules are shared with nobody
    if (kind === "lease" || kind === "schedule") return [of("one's own", here, { ownerId: userId }), ...others];
    return [
      of("one's own", here, { ownerId: userId }),
      of("one that is shared to look at", here, { ...other, shares: [{ userId, level: "view" }] }),
      of("one that is shared to wake", here, { ...other, shares: [{ userId, level: "wake" }] }, userId),
      ...(kind === "device"
        ? [of("one in one's own cluster", here, { ...other, clusterOwnerId: userId }, userId)]
        : []),
      ...others,
    ];
  }

  function ofSite(kind: "agent" | "enrolment" | "mqttClient", { site }: MatrixCaller): MatrixTarget[] {
    const [here, there] = sidesOf(site);
    const of = (name: string, at: SiteName) =>
      target(`${kind} ${at}`, { name, site: at }, () => things[kind](sites[at]));
    return [of("one of the site", here), of("one of another site", there), unknown];
  }

  function accounts({ person, site, role }: MatrixCaller): MatrixTarget[] {
    const [here, there] = sidesOf(site);
    const of = (name: string, at: SiteName, role: Role, more?: SiteName) => {
      const everywhere =
        role === "superuser" ? { home: role, away: role } : { [at]: role, ...(more && { [more]: role }) };
      const make = () => things.user(sites[at], role, more ? [sites[more]] : []);
      return target(`user ${name} ${at}`, { name, site: "hub", roles: everywhere }, make);
    };
    const own = { name: "oneself", site: "hub", ownerId: person?.id ?? null, roles: { [here]: role } } as const;
    return [
      of("a user", here, "user"),
      of("a viewer", here, "viewer"),
      of("an admin", here, "admin"),
      of("a superuser", here, "superuser"),
      of("a user of another site", there, "user"),
      of("a user of both sites", here, "user", there),
      ...(person && role ? [target(`user ${person.id}`, own, async () => person.id)] : []),
      unknown,
    ];
  }

  /** What its address names besides, the matrix fills in. */
  function discovered({ site }: MatrixCaller): MatrixTarget[] {
    const [here, there] = sidesOf(site);
    const of = (name: string, at: SiteName) =>
      target(`discovered ${at}`, { name, site: at }, () =>
        things.device(sites[at], { ownerId: things.neighbour(sites[at]).id }),
      );
    return [of("one of the site", here), of("one of another site", there), unknown];
  }

  /** What is one person's alone. */
  function personal(kind: "session" | "token" | "identity", { person, site }: MatrixCaller): MatrixTarget[] {
    const [here] = sidesOf(site);
    const at = kind === "token" ? here : "hub";
    const of = (name: string, owner: typeof person) =>
      owner
        ? [target(`${kind} ${owner.id} ${here}`, { name, site: at, ownerId: owner.id }, () => things[kind](owner))]
        : [];
    const isElsewhere = kind === "token" && (site === "away" || site === "foreign"); // made by a call in the first site
    return [
      ...(isElsewhere ? [] : of("one's own", person)),
      ...of("somebody else's", things.neighbour(sites[here])),
      unknown,
    ];
  }

  const everySite = () => [target("site", { name: "a site", site: "hub" }, () => things.site()), unknown];

  const KINDS: Readonly<Record<string, (caller: MatrixCaller) => MatrixTarget[]>> = {
    "/api/devices": (caller) => owned("device", caller),
    "/api/clusters": (caller) => owned("cluster", caller),
    "/api/wakes": (caller) => owned("wake", caller),
    "/api/power-offs": (caller) => owned("powerOff", caller),
    "/api/schedules": (caller) => owned("schedule", caller),
    "/api/leases": (caller) => owned("lease", caller),
    "/api/agents": (caller) => ofSite("agent", caller),
    "/api/enrolments": (caller) => ofSite("enrolment", caller),
    "/api/mqtt-clients": (caller) => ofSite("mqttClient", caller),
    "/api/home-assistant/things/{type}": discovered,
    "/api/users": accounts,
    "/api/sites": everySite,
    "/api/auth/sessions": (caller) => personal("session", caller),
    "/api/tokens": (caller) => personal("token", caller),
    "/api/auth/identities": (caller) => personal("identity", caller),
  };

  return {
    of: (route, caller) => {
      const [, path = ""] = /^[A-Z]+ (\/.*?)\/\{id\}/.exec(route) ?? [];
      if (path === "") return undefined;
      const kind = KINDS[path];
      if (!kind) throw new Error(`nothing is known to be named at ${route}`);
      return kind(caller);
    },
    prepare: async (caller) => {
      await Promise.all(Object.values(KINDS).flatMap((kind) => kind(caller).map((one) => one.standing())));
    },
    state: async () => {
      await hub.api.get("/wakes"); // history is written a moment later, or before it is read
      const ids = await Promise.all(standing.values());
      const rowsOf = (table: string) =>
        query(
          hub.databaseUrl,
          `select to_jsonb(t) - $2::text[] as row from "${table}" t where id = any($1) order by id`,
          [ids, WRITTEN_BEHIND],
        );
      return await Promise.all(Object.values(TABLES).map(rowsOf));
    },
    close: () => things.close(),
  };
}

function sidesOf(site: MatrixCaller["site"]): [here: SiteName, there: SiteName] {
  return site === "away" ? ["away", "home"] : ["home", "away"];
}
