import { type TemplateResult, type nothing, html } from "lit";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import type { Fact } from "../app/facts.ts";
import { EVIDENCE_WORDS } from "../words/evidence.ts";
import { span, when } from "../words/instants.ts";
import { ACTION_WORDS, WAY_WORDS } from "../words/power-off.ts";

/** What only the page around a device knows. */
export interface FactContext {
  readonly nowMs: number;
  /** Undefined where the account may not know. */
  readonly cluster: string | undefined;
  readonly owner: string | undefined;
  readonly sharedWith: string | undefined;
  readonly agents: string | undefined;
  readonly needs: readonly string[];
  /** Whether the account has anything to do with its going down. */
  readonly mayPower: boolean;
  /** The button that sets up another way of powering it off, for whoever may. */
  readonly otherWay: TemplateResult | typeof nothing;
}

const list = new Intl.ListFormat("en", { type: "conjunction" });

/** Everything that is known of a device beside what it is doing now. */
export function factsOf(device: DeviceAnswer, context: FactContext): Fact[] {
  const { evidence, tags } = device;
  return [
    [
      "Seen up", // by whom first; later sightings are not told one by one
      evidence && `${when(evidence.at, context.nowMs)} by ${evidence.by} (${EVIDENCE_WORDS[evidence.how]})`,
    ],
    ["MAC address", html`<span class="mono">${device.mac}</span>`],
    ["Address", device.address && html`<span class="mono">${device.address}</span>`],
    ["Wakes in", wakeWords(device)],
    ["Network card", armedWords(device)],
    ["Draws", wattsWords(device)],
    ["Powering off", context.mayPower && html`${offWords(device)} ${context.otherWay}`],
    ["Needs", list.format(context.needs)],
    ["Cluster", context.cluster],
    ["Owner", context.owner],
    ["Shared with", context.sharedWith],
    ["Agents", context.agents],
    ["Key in topics", html`<span class="mono">${device.key}</span>`],
    ["Tags", tags.join(", ")],
  ];
}

function wakeWords({ typicalWakeSeconds, slowWakeSeconds }: DeviceAnswer): string | undefined {
  if (typicalWakeSeconds === null) return undefined;
  const isWide = slowWakeSeconds !== null && slowWakeSeconds >= typicalWakeSeconds + 2;
  return `${span(typicalWakeSeconds)} usually${isWide ? `, ${span(slowWakeSeconds)} when slow` : ""}`;
}

function armedWords({ armed }: DeviceAnswer): string | undefined {
  if (armed === null) return undefined;
  return armed ? "set to wake it" : "not set to wake it";
}

function wattsWords({ watts, energyKwh }: DeviceAnswer): string | undefined {
  const known = [
    ...(watts === null ? [] : [`${watts < 10 ? watts.toFixed(1) : Math.round(watts)} W now`]),
    ...(energyKwh === null ? [] : [`${energyKwh.toFixed(energyKwh < 10 ? 2 : 0)} kWh so far`]),
  ];
  return known.length > 0 ? known.join(", ") : undefined;
}

/** Nothing is claimed of one that is off: its agent is not there to say what it can do. */
function offWords({ canPowerOff, powerActions, powerMethod, whyNoPowerOff, power }: DeviceAnswer): string {
  if (canPowerOff) return list.format(powerActions.map((action) => ACTION_WORDS[action].label.toLowerCase()));
  if (power === "on" && whyNoPowerOff !== null) return whyNoPowerOff;
  return powerMethod === null ? "" : `by ${WAY_WORDS[powerMethod]}`;
}
