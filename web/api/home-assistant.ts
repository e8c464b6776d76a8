import type { z } from "zod";
import type {
  CleanUpAnswer,
  HomeAssistantAnswer,
  PreviewAnswer,
  PreviewRequest,
  SendAnswer,
  ThingAnswer,
  ThingDetails,
  ThingParams,
  ThingState,
} from "#contracts/api/home-assistant.ts";
import { changeAgent } from "./agents.ts";
import { call } from "./call.ts";
import { changeCluster } from "./clusters.ts";
import { changeDevice } from "./devices.ts";
import { changeSchedule } from "./schedules.ts";

/** What may be asked for in one call. */
const PART = 200;

export interface ThingFilter {
  readonly q?: string;
  readonly state?: ThingState;
}

export interface Things {
  readonly items: readonly ThingAnswer[];
  /** Of all that fit. */
  readonly total: number;
}

export async function homeAssistant(): Promise<HomeAssistantAnswer> {
  return await call("GET", "/home-assistant");
}

/** The first things that fit a filter. */
export async function things(filter: ThingFilter, count: number): Promise<Things> {
  const items: ThingAnswer[] = [];
  for (let cursor: string | null = ""; ;) {
    const limit = String(Math.min(PART, count - items.length));
    const query = new URLSearchParams({ ...given({ ...filter, cursor }), limit });
    const part: Things & { next: string | null } = await call("GET", `/home-assistant/things?${query}`);
    items.push(...part.items);
    cursor = part.next;
    if (cursor === null || items.length >= count) return { items, total: part.total };
  }
}

export async function thingDetails({ type, id }: ThingParams): Promise<ThingDetails> {
  return await call("GET", `/home-assistant/things/${type}/${id}`);
}

/** What a change would do. Nothing is changed. */
export async function preview(change: z.input<typeof PreviewRequest>): Promise<PreviewAnswer> {
  return await call("POST", "/home-assistant/preview", change);
}

/** @param thing undefined for everything. */
export async function sendAgain(thing?: ThingParams): Promise<SendAnswer> {
  return await call(
    "POST",
    "/home-assistant/send",
    thing === undefined ? {} : { thing: { type: thing.type, id: thing.id } },
  );
}

export async function cleanUp(): Promise<CleanUpAnswer["cleared"]> {
  return (await call<CleanUpAnswer>("POST", "/home-assistant/clean-up", {})).cleared;
}

/** The hub is never hidden here: somebody deleted it in Home Assistant, and sending brings it back. */
export async function showThing({ type, id }: ThingParams, showInHomeAssistant: boolean): Promise<void> {
  switch (type) {
    case "hub":
      await sendAgain({ type, id });
      break;
    case "device":
      await changeDevice(id, { showInHomeAssistant });
      break;
    case "cluster":
      await changeCluster(id, { showInHomeAssistant });
      break;
    case "agent":
      await changeAgent(id, { showInHomeAssistant });
      break;
    case "schedule":
      await changeSchedule(id, { showInHomeAssistant });
      break;
  }
}

function given(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}
