import type { PlanStep, PowerPlan } from "#contracts/api/plans.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import type { PowerOffWay } from "#contracts/power-off.ts";
import { span } from "./instants.ts";
import { ACTION_WORDS, WAY_WORDS } from "./power-off.ts";

const list = new Intl.ListFormat("en", { type: "conjunction" });

/** What would become of one device: `Wakes once NAS is up · usually 41 s`. */
export function stepWords(step: PlanStep, action: PowerPlan["action"], nameOf: (key: string) => string): string {
  if (step.verdict === "already") return action === "wake" ? "On already" : "Off already";
  if (step.verdict === "refused") return step.reason ?? "Refused";
  const isWake = action === "wake";
  const waits = afterWords(step, isWake ? "up" : "down", nameOf);
  const does = `${isWake ? "Wakes" : "Goes down"}${waits}`;
  return [does, isWake ? typicalWords(step) : step.way && wayWords(step.way)].filter(Boolean).join(" · ");
}

/** `agent, shutdown` as a person says it: `by the agent on it (shut down)`. */
export function wayWords(text: string): string {
  const [way = "", action = ""] = text.split(", ");
  const by = Object.hasOwn(WAY_WORDS, way) ? WAY_WORDS[way as PowerOffWay] : way;
  const how = Object.hasOwn(ACTION_WORDS, action) ? ACTION_WORDS[action as PowerOffAction].label.toLowerCase() : action;
  return how === "" ? `by ${by}` : `by ${by} (${how})`;
}

function afterWords({ after }: PlanStep, state: "up" | "down", nameOf: (key: string) => string): string {
  if (after.length === 0) return "";
  return ` once ${list.format(after.map(nameOf))} ${after.length === 1 ? "is" : "are"} ${state}`;
}

function typicalWords({ typicalSeconds, agents }: PlanStep): string {
  const usual = typicalSeconds === null ? "" : `usually ${span(typicalSeconds)}`;
  return [usual, agents.length > 0 ? `by ${list.format(agents)}` : ""].filter(Boolean).join(", ");
}

/** When it starts at the earliest: `at once`, `+10 s`. */
export function startWords({ startsAfterMs }: PlanStep): string {
  if (startsAfterMs === null) return "";
  return startsAfterMs === 0 ? "at once" : `+${span(startsAfterMs / 1_000)}`;
}

/** How those that go follow each other; undefined where all go at once. */
export function paceWords({ staggerMs, atOnce }: Pick<PowerPlan, "staggerMs" | "atOnce">): string | undefined {
  const parts = [
    ...(staggerMs > 0 ? [`one every ${span(staggerMs / 1_000)}`] : []),
    ...(atOnce === null ? [] : [`${atOnce} at a time at most`]),
  ];
  return parts.length > 0 ? parts.join(", ") : undefined;
}

/** What the button does: `Wake 5 devices`. */
export function doWords(action: PowerPlan["action"], count: number, isForced: boolean): string {
  const devices = count === 1 ? "1 device" : `${count} devices`;
  return `${action === "wake" ? "Wake" : "Power off"} ${devices}${isForced ? " anyway" : ""}`;
}
