import { type Channel, channels, discoveryChannels, topicPattern } from "#contracts/channels.ts";

/** Who may do what with which topic, written after docs/protocol.md and without a look at the broker's rules. */

/**
 * Where a thing lies, seen from a client that is at home in one cluster: its own, another one in that cluster, one in another
 * cluster of the site, one in the other site. The hub itself lies in none.
 */
export type Place = "own" | "beside" | "foreign" | "away" | "hub";

export const KINDS = [
  "agent",
  "read",
  "wake",
  "power",
  "discovery",
  "limited",
  "admin",
  "user",
  "viewer",
  "idle",
  "narrow",
] as const;
export type Kind = (typeof KINDS)[number];

/**
 * What each may do where it reaches: p = publish, t = publish retained, e = the same, but empty, r = read. A star marks what
 * is signed.
 *
 * The integrations have one permission for all clusters, but `limited`, which has all of them for one cluster. `user` owns one
 * device. `idle` is an admin's token that is good for reading alone, `narrow` one with `cluster:read` alone.
 */
const TABLE = `
  topic                              agent  read  wake  power  discovery  limited  admin  user  viewer  idle  narrow
  hub/status                         r      r     -     -      -          r        r      r     r       r     r
  hub/info                           r      r     -     -      -          r        r      r     r       r     r
  cluster/<cluster>/wake             -      -     p     -      -          p        p      p     -       -     -
  cluster/<cluster>/wake*            r      -     -     -      -          -        -      -     -       -     -
  cluster/<cluster>/wake/result      -      r     -     -      -          r        r      r     r       r     r
  cluster/<cluster>/set              -      -     p     p      -          p        p      p     -       -     -
  cluster/<cluster>/state            -      r     -     -      -          r        r      r     r       r     r
  cluster/<cluster>/info             -      r     -     -      -          r        r      r     r       r     r
  device/<device>/set                -      -     p     p      -          p        p      p     -       -     -
  device/<device>/state              -      r     -     -      -          r        r      r     r       r     -
  device/<device>/availability       -      r     -     -      -          r        r      r     r       r     -
  device/<device>/info               -      r     -     -      -          r        r      r     r       r     -
  device/<device>/result             -      r     -     -      -          r        r      r     r       r     -
  device/<device>/event              -      r     -     -      -          r        r      r     r       r     -
  agent/<agent>/status               ptr    r     -     -      -          r        r      r     -       r     -
  agent/<agent>/heartbeat            pt     r     -     -      -          r        r      r     -       r     -
  agent/<agent>/inventory            pt     -     -     -      -          -        -      -     -       -     -
  agent/<agent>/order*               r      -     -     -      -          -        -      -     -       -     -
  agent/<agent>/watch*               r      -     -     -      -          -        -      -     -       -     -
  agent/<agent>/receipt              p      -     -     -      -          -        -      -     -       -     -
  agent/<agent>/sightings            p      -     -     -      -          -        -      -     -       -     -
  agent/<agent>/update               pt     r     -     -      -          r        r      r     -       r     -
  schedule/<schedule>/state          -      r     -     -      -          -        r      r     r       -     -
  schedule/<schedule>/info           -      r     -     -      -          -        r      r     r       -     -
  schedule/<schedule>/set            -      -     p     p      -          -        p      p     -       -     -
  hub/update                         -      r     -     -      -          r        r      r     r       r     r
  hub/request/<verb>                 -      p     p     p      p          p        p      p     p       p     p
  hub/response/<verb>                -      r     -     -      -          -        r      -     -       -     -
  event                              -      r     -     -      -          -        r      r     -       r     -
  homeassistant/status               -      -     -     -      ptr        ptr      ptr    -     -       -     -
  homeassistant/device/<object_id>/config -  -    -     -      er         er       er     -     -       -     -
  homeassistant/<component>/config   -      -     -     -      er         er       er     -     -       -     -
`;

/** How far each reaches into its own site. Into the other one nobody does. */
const REACH: Readonly<Record<Kind, { readonly reads: readonly Place[]; readonly publishes: readonly Place[] }>> = {
  agent: { reads: ["own"], publishes: ["own"] },
  limited: { reads: ["own", "beside"], publishes: ["own", "beside"] },
  user: { reads: ["own", "beside", "foreign"], publishes: ["own"] },
  read: everywhere(),
  wake: everywhere(),
  power: everywhere(),
  discovery: everywhere(),
  admin: everywhere(),
  viewer: everywhere(),
  idle: everywhere(),
  narrow: everywhere(),
};

function everywhere() {
  const site = ["own", "beside", "foreign"] as const;
  return { reads: site, publishes: site };
}

const rows = new Map(
  TABLE.trim()
    .split("\n")
    .slice(1)
    .map((line) => {
      const [topic = "", ...rights] = line.trim().split(/\s+/);
      return [topic, new Map(KINDS.map((kind, at) => [kind, rights[at] ?? ""]))] as const;
    }),
);

/** A topic with a thing in it. */
export interface Cell {
  readonly name: string;
  readonly row: string;
  readonly place: Place;
  readonly topic: string;
  readonly isSigned: boolean;
  /** The topic names nothing; the message says itself which site it is about. */
  readonly isOfSite: boolean;
}

/** Topics that name nothing and are about one site each; the other ones without a name are about the whole hub. */
const OF_SITE = new Set(["event", "hub/response/<verb>", "homeassistant/status"]);
const PLACES_OF: Readonly<Record<NonNullable<Channel["parameter"]> | "nothing", readonly Place[]>> = {
  cluster: ["own", "foreign", "away"],
  device: ["own", "beside", "foreign", "away"],
  agent: ["own", "beside", "foreign", "away"],
  schedule: ["own", "foreign", "away"],
  object_id: ["own", "beside", "foreign", "away"],
  component: ["own", "beside", "foreign", "away"],
  verb: ["hub"],
  nothing: ["hub"],
};

/** @param keyOf what stands in a topic for the thing of a place. */
export function cellsOf(keyOf: (parameter: string, place: Place) => string): Cell[] {
  return [...channels, ...discoveryChannels("homeassistant")].flatMap((channel) => {
    const row = rowOf(channel);
    const isOfSite = OF_SITE.has(row);
    const places = isOfSite ? (["own", "away"] as const) : PLACES_OF[channel.parameter ?? "nothing"];
    return places.map((place): Cell => {
      const base = row.startsWith("homeassistant") ? "" : "powerbeacon/";
      const { parameter } = channel;
      const topic = base + channel.topic.filter.replace(/\+(\/\+)*/, parameter ? keyOf(parameter, place) : "");
      return { name: `${row}, ${place}`, row, place, topic, isSigned: channel.signed === true, isOfSite };
    });
  });
}

const rowOf = (channel: Channel) => topicPattern(channel) + (channel.signed ? "*" : "");

/** The rows that every channel of the contracts has, and no other. */
export const rowNames = {
  inTable: [...rows.keys()],
  ofChannels: [...channels, ...discoveryChannels("homeassistant")].map(rowOf),
};

export type Right = "p" | "t" | "e" | "r";

/** @param place as the client sees it. */
export function expected(kind: Kind, { row, isOfSite }: Cell, place: Place, right: Right): boolean {
  const has = rows.get(row)?.get(kind)?.includes(right) ?? false;
  // whoever publishes there speaks of the own site, whatever the message claims
  if (place === "hub" || (isOfSite && right !== "r")) return has;
  return has && REACH[kind][right === "r" ? "reads" : "publishes"].includes(place);
}
