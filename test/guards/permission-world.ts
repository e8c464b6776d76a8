import { SITE_HEADER } from "#contracts/api/sites.ts";
import type { TokenPermission } from "#contracts/permissions.ts";
import type { TestHub } from "#test/fixtures/hub.ts";
import { type Person, type TestSite, addPerson, addSite, addToken, firstSite } from "#test/fixtures/people.ts";
import { type Caller, ROLES, ROUTES, type Right, type Role, tokenRightsOf } from "./permission-table.ts";
import { type Targets, openTargets } from "./permission-targets.ts";

/** Everybody who calls in the matrix, and what they call about: two sites of one real hub. */
export interface World {
  readonly targets: Targets;
  /** Everybody, and tokens that lack the very right that the route needs. */
  callersOf(route: string): Promise<MatrixCaller[]>;
  close(): Promise<void>;
}

export interface MatrixCaller extends Caller {
  readonly person: Person | null;
  readonly headers: Readonly<Record<string, string>>;
}

export async function openWorld(hub: TestHub): Promise<World> {
  const [home, away] = [await firstSite(hub), await addSite(hub, "Away")];
  const cast = new Map<Role, Person>();
  for (const role of ROLES) cast.set(role, await addPerson(hub, home, role));
  const callers = [...strangers(), ...(await residents(cast)), ...(await guests(hub, cast, away))];
  const fallen = await castOfFallen(hub, home);
  callers.push(...fallen.callers);
  const targets = await openTargets(hub, { home, away });
  await Promise.all(callers.map((caller) => targets.prepare(caller)));
  await fallen.fall();

  const lacking = new Map<string, MatrixCaller>();
  return {
    targets,
    callersOf: async (route) => {
      const lacks: MatrixCaller[] = [];
      for (const [role, person] of cast) {
        const rights = tokenRightsOf(role);
        const others = rights.filter((right) => right !== ROUTES[route]);
        if (others.length === rights.length) continue;
        const name = `the ${role} by token without ${ROUTES[route]}`;
        const known = lacking.get(name) ?? (await byToken(name, person, { role }, others));
        lacking.set(name, known);
        lacks.push(known);
      }
      return [...callers, ...lacks];
    },
    close: () => targets.close(),
  };
}

function callerOf(
  name: string,
  person: Person | null,
  { secret, siteKey, ...rights }: Partial<Caller> & { secret?: string | undefined; siteKey?: string },
): MatrixCaller {
  return {
    name,
    person,
    userId: person?.id ?? null,
    role: null,
    site: "home",
    token: null,
    isLoggedIn: secret !== undefined,
    mustChangePassword: false,
    ...rights,
    headers: {
      ...(secret !== undefined && { authorization: `Bearer ${secret}` }),
      ...(siteKey !== undefined && { [SITE_HEADER]: siteKey }),
    },
  };
}

const bySession = (name: string, person: Person, rights: Partial<Caller>) =>
  callerOf(name, person, { secret: person.token, ...rights });

async function byToken(name: string, person: Person, rights: Partial<Caller>, given: Right[]): Promise<MatrixCaller> {
  const { token } = await addToken(person.api, given as TokenPermission[]); // those that no token gets are not among them
  return callerOf(name, person, { secret: token, token: new Set(given), ...rights });
}

function strangers(): MatrixCaller[] {
  const madeUp = { secret: `pb_aaaaaaaa_${"a".repeat(52)}`, isLoggedIn: false };
  return [callerOf("a stranger", null, {}), callerOf("a stranger with a made-up token", null, madeUp)];
}

async function residents(cast: ReadonlyMap<Role, Person>): Promise<MatrixCaller[]> {
  const callers: MatrixCaller[] = [];
  for (const [role, person] of cast) {
    callers.push(bySession(`the ${role}`, person, { role }));
    callers.push(await byToken(`the ${role} by token`, person, { role }, tokenRightsOf(role)));
  }
  return callers;
}

/** Those of the other site, and those who say that they are. */
async function guests(hub: TestHub, cast: ReadonlyMap<Role, Person>, away: TestSite): Promise<MatrixCaller[]> {
  const [superuser, admin] = [cast.get("superuser"), cast.get("admin")];
  if (!superuser || !admin) throw new Error("there is one of each role");
  const awayAdmin = await addPerson(hub, away, "admin");
  const awayUser = await addPerson(hub, away, "user");
  const named = { siteKey: away.key };
  return [
    bySession("the admin of the other site", awayAdmin, { role: "admin", site: "away" }),
    bySession("a user of the other site", awayUser, { role: "user", site: "away" }),
    bySession("the superuser in the other site", superuser, { role: "superuser", site: "away", ...named }),
    bySession("the admin in the other site", admin, { role: "admin", site: "foreign", ...named }),
  ];
}

/** Those who were more once: each by the session and by the token of before. @returns how that comes to an end, too. */
async function castOfFallen(hub: TestHub, home: TestSite): Promise<{ callers: MatrixCaller[]; fall(): Promise<void> }> {
  const callers: MatrixCaller[] = [];
  const changes: { person: Person; change: object }[] = [];
  for (const { name, change, now, byToken: nowByToken = now } of FALLEN) {
    const person = await addPerson(hub, home, "admin");
    callers.push(bySession(name, person, now));
    callers.push(await byToken(`${name}, by token`, person, nowByToken, tokenRightsOf("admin")));
    changes.push({ person, change });
  }
  const fall = async () => {
    for (const { person, change } of changes) {
      const { status, body } = await home.api.patch(`/users/${person.id}`, change);
      if (status !== 200) throw new Error(`nobody fell: ${JSON.stringify(body)}`);
    }
  };
  return { callers, fall };
}

const FALLEN: readonly { name: string; change: object; now: Partial<Caller>; byToken?: Partial<Caller> }[] = [
  { name: "an admin who was disabled", change: { enabled: false }, now: { isLoggedIn: false } },
  { name: "an admin who is a viewer now", change: { role: "viewer" }, now: { role: "viewer" } },
  {
    name: "an admin who was taken out of the site",
    change: { role: null },
    now: { role: null, site: null },
    byToken: { role: null, site: "foreign" },
  },
  {
    name: "an admin who must change the password first",
    change: { mustChangePassword: true },
    now: { role: "admin", mustChangePassword: true },
  },
];
