import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type HomeAssistantAnswer,
  MAX_PREVIEW_TOPICS,
  type PreviewAnswer,
  type PreviewRequest,
  type ThingAnswer,
  type ThingConfig,
  type ThingDetails,
  type ThingQuery,
  ThingState,
} from "#contracts/api/home-assistant.ts";
import type { DiscoveredHub, DiscoveredThing, DiscoveryForm, DiscoveryRef } from "#contracts/discovery.ts";
import { HubError } from "../kernel/errors.ts";
import { type Page, pageOf } from "../kernel/pages.ts";
import type { Directory } from "../members/directory.ts";
import type { Schedules } from "../schedules/schedules.ts";
import type { Announcer, ConfigMessages } from "./announcer.ts";
import { type DirectoryThing, ShownThings, type WaysDownOf } from "./shown-things.ts";

export interface HomeAssistantContext {
  readonly directory: Directory;
  readonly schedules: Schedules;
  readonly hub: DiscoveredHub;
  readonly waysDownOf: WaysDownOf;
  readonly announcer: Announcer;
  readonly settings: HomeAssistantAnswer["settings"];
  /** Whether the hub is connected to the broker that Home Assistant uses. */
  readonly isReached: () => boolean;
}

/** Things worked on before other work gets a turn. */
const SLICE = 100;

/** The order of lists, and of publishing. */
const RANKS: Readonly<Record<DiscoveryRef["type"], number>> = { hub: 0, device: 1, cluster: 2, agent: 3, schedule: 4 };

const whateverIsShown = (thing: DirectoryThing) => thing.showInHomeAssistant;

/** As much of a thing as a list is sorted and searched by. */
interface Row extends DiscoveryRef {
  readonly name: string;
  readonly key: string | null;
  readonly isShown: boolean;
}

/** How many things of a site are in which state. */
export function thingCounts(context: HomeAssistantContext, siteId: string): HomeAssistantAnswer["counts"] {
  const counts = Object.fromEntries(ThingState.options.map((state) => [state, 0])) as HomeAssistantAnswer["counts"];
  for (const row of rowsOf(context, siteId)) counts[stateOf(context, row)]++;
  return counts;
}

/** The things of a site, and the hub, which is of all. */
export function listThings(context: HomeAssistantContext, siteId: string, query: ThingQuery): Page<ThingAnswer> {
  const wanted = query.q?.toLowerCase();
  const matching = [...rowsOf(context, siteId)].filter(
    (row) =>
      (query.type === undefined || row.type === query.type) &&
      (query.state === undefined || stateOf(context, row) === query.state) &&
      (wanted === undefined || `${row.name}\n${row.key ?? ""}`.toLowerCase().includes(wanted)),
  );
  const order = { valueOf: (row: Row) => RANKS[row.type] + row.name.toLowerCase(), descending: false };
  const page = pageOf(matching, query, order);
  return { ...page, items: page.items.map((row) => answerOf(context, row, findThing(context, siteId, row))) };
}

/** @throws HubError NOT_FOUND, also for what lies in another site */
export function thingDetails(context: HomeAssistantContext, siteId: string, ref: DiscoveryRef): ThingDetails {
  const thing = findThing(context, siteId, ref);
  const answer = answerOf(context, rowOf(context, thing), thing);
  const would = context.announcer.messagesOf(thing);
  const standing = context.announcer.standing(thing);
  const wanted: ConfigMessages = answer.shown && context.settings.enabled ? would : new Map();
  const configs = [...new Set([...would.keys(), ...standing.keys()])].map((topic): ThingConfig => {
    const [published, current] = [standing.get(topic), would.get(topic)];
    return {
      topic,
      published: payloadOf(published ?? undefined),
      wanted: payloadOf(current),
      differs: standing.has(topic) ? published !== wanted.get(topic) : wanted.has(topic),
    };
  });
  return { ...answer, configs };
}

/** What a change would publish and clear, of the things of a site and the hub. Nothing is changed. */
export async function previewOf(
  context: HomeAssistantContext,
  siteId: string,
  change: PreviewRequest,
): Promise<PreviewAnswer> {
  const { announcer, settings } = context;
  for (const ref of change.shown) findThing(context, siteId, ref);
  const form = { format: change.format ?? settings.format, prefix: change.prefix ?? settings.prefix };
  const choices = new Map(change.shown.map(({ id, shown }) => [id, shown]));
  const isShown = (thing: DirectoryThing) => choices.get(thing.id) ?? thing.showInHomeAssistant;
  const isHubShown = choices.get(context.hub.id) ?? !announcer.isDismissed(context.hub);

  const published: PreviewAnswer["published"] = { messages: 0, bytes: 0, topics: [] };
  const cleared: PreviewAnswer["cleared"] = { messages: 0, topics: [] };
  const unchanged = { messages: 0 };
  const [now, then] = [viewOf(context, whateverIsShown), viewOf(context, isShown)];
  let looked = 0;
  for (const row of rowsOf(context, siteId)) {
    if (++looked % SLICE === 0) await nextTurn();
    const isHub = row.type === "hub";
    const before = messagesOf(isHub && !row.isShown ? undefined : now.of(row), settings);
    const after = messagesOf(isHub && !isHubShown ? undefined : then.of(row), form);
    for (const [topic, payload] of after)
      if (before.get(topic) === payload) unchanged.messages++;
      else {
        published.bytes += Buffer.byteLength(payload);
        note(published, topic);
      }
    for (const topic of before.keys()) if (!after.has(topic)) note(cleared, topic);
  }
  const { thing } = change;
  const looksAt = thing && findThing(context, siteId, thing, (row) => isShown(row) || row.id === thing.id);
  const configs = looksAt ? [...announcer.messagesOf(looksAt, form)] : [];
  return {
    settings: settingsFor(form, settings),
    published,
    cleared,
    unchanged,
    configs: configs.map(([topic, text]) => ({ topic, payload: JSON.parse(text) as Record<string, unknown> })), // ours
  };

  function messagesOf(thing: DiscoveredThing | undefined, form: DiscoveryForm): ConfigMessages {
    return thing && settings.enabled ? announcer.messagesOf(thing, form) : new Map<string, string>();
  }
}

/**
 * Publishes configs again: of one thing, or of all of a site that are shown.
 *
 * @throws HubError NOT_FOUND, CONFLICT for a thing that is hidden, DISCOVERY_OFF
 */
export async function sendAgain(
  context: HomeAssistantContext,
  siteId: string,
  ref: DiscoveryRef | undefined,
): Promise<{ configs: number; waiting: number }> {
  const { announcer } = context;
  const shown = viewOf(context, whateverIsShown);
  if (ref) {
    const { name } = findThing(context, siteId, ref);
    if (!shown.of(ref)) throw new HubError("CONFLICT", `${name} is hidden; show it to send it`);
  }
  const refs = ref ? [ref] : [...shown.all(siteId)];
  const sent = announcer.send(refs);
  if (!sent) throw new HubError("DISCOVERY_OFF", "Discovery is off; HA_DISCOVERY=on turns it on");
  return await sent;
}

/** @throws HubError NOT_FOUND */
function findThing(
  context: HomeAssistantContext,
  siteId: string,
  ref: DiscoveryRef,
  isShown?: (thing: DirectoryThing) => boolean,
): DiscoveredThing {
  // a hidden thing as it would be, among others as they are
  const view = viewOf(context, isShown ?? ((thing) => thing.showInHomeAssistant || thing.id === ref.id));
  const thing = view.of(ref);
  if (!thing || (thing.type !== "hub" && thing.siteId !== siteId))
    throw new HubError("NOT_FOUND", `There is no such ${ref.type}`);
  return thing;
}

/** Everything of a site that could be shown, and the hub, which is of all. */
function* rowsOf(context: HomeAssistantContext, siteId: string): Generator<Row> {
  const { directory, schedules, hub, announcer } = context;
  yield { ...hub, key: null, isShown: !announcer.isDismissed(hub) };
  const tables = [
    ["device", directory.devices],
    ["cluster", directory.clusters],
    ["agent", directory.agents],
    ["schedule", schedules],
  ] as const;
  for (const [type, table] of tables)
    for (const thing of table)
      if (thing.siteId === siteId && !("unassigned" in thing && thing.unassigned))
        yield { type, id: thing.id, name: thing.name, key: thing.key, isShown: thing.showInHomeAssistant };
}

function rowOf({ directory, schedules, announcer }: HomeAssistantContext, thing: DiscoveredThing): Row {
  const { type, id, name } = thing;
  if (type === "hub") return { type, id, name, key: null, isShown: !announcer.isDismissed(thing) };
  const { devices: device, clusters: cluster, agents: agent } = directory;
  const table = { device, cluster, agent, schedule: schedules }[type];
  return { type, id, name, key: thing.key, isShown: table.byId(id)?.showInHomeAssistant === true };
}

/** @param thing as it is, or would be if only it were shown besides the others. */
function answerOf(context: HomeAssistantContext, row: Row, thing: DiscoveredThing): ThingAnswer {
  const { announcer } = context;
  const messages = announcer.messagesOf(thing);
  return {
    type: row.type,
    id: row.id,
    key: row.key as ThingAnswer["key"], // keys of rows are keys
    name: row.name,
    shown: row.isShown,
    topics: [...messages.keys()],
    state: stateOf(context, row),
    publishedAt: announcer.publishedAt(row)?.toISOString() ?? null,
    bytes: [...messages.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0),
  };
}

function stateOf({ announcer }: HomeAssistantContext, row: Row): ThingState {
  return row.isShown ? announcer.stateOf(row) : "hidden";
}

function viewOf(context: HomeAssistantContext, isShown: (thing: DirectoryThing) => boolean): ShownThings {
  return new ShownThings(context, isShown);
}

function payloadOf(text: string | undefined): Record<string, unknown> | null {
  return text === undefined ? null : (JSON.parse(text) as Record<string, unknown>); // our own config
}

function note(list: { messages: number; topics: string[] }, topic: string): void {
  list.messages++;
  if (list.topics.length < MAX_PREVIEW_TOPICS) list.topics.push(topic);
}

function settingsFor(form: DiscoveryForm, now: DiscoveryForm): PreviewAnswer["settings"] {
  return [
    ...(form.format === now.format ? [] : [{ name: "HA_DISCOVERY_FORMAT", value: form.format }]),
    ...(form.prefix === now.prefix ? [] : [{ name: "HA_DISCOVERY_PREFIX", value: form.prefix }]),
  ];
}
