import { type TemplateResult, html, nothing } from "lit";
import type { AgentAnswer } from "#contracts/api/agents.ts";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import { checkField, selectField, textField } from "../form/fields.ts";
import type { FormState } from "../form/form-state.ts";
import { isChecked, numberOrNull, textOf, textOrNull } from "../form/values.ts";
import { byName } from "../words/by-name.ts";
import { ACTION_WORDS } from "../words/power-off.ts";

type PowerSettings = DeviceAnswer["powerSettings"];

export const NEW_POWER: PowerSettings = {
  ownAgentId: null,
  off: "shutdown",
  countdownSeconds: 30,
  graceSeconds: null,
  offAfterLease: false,
};

const OFF_OPTIONS = (["shutdown", "sleep", "hibernate"] as const).map((value) => ({
  value,
  label: ACTION_WORDS[value].label,
}));

/** How a device goes down. @param agents those that may run on it; none for whoever sees no agents. */
export function powerFields(form: FormState, power: PowerSettings, agents: readonly AgentAnswer[]): TemplateResult {
  return html`${
      agents.length > 0
        ? selectField(form, {
            name: "power.ownAgentId",
            label: "Agent on this machine",
            value: power.ownAgentId ?? "",
            options: [
              { value: "", label: "The one with its MAC address" },
              ...agents.toSorted(byName).map(({ id, name }) => ({ value: id, label: name })),
            ],
            hint: "It powers the machine down, and knows best whether it is on.",
          })
        : nothing
    }
    <div class="two">
      ${selectField(form, {
        name: "power.off",
        label: "“Off” means",
        value: power.off,
        options: OFF_OPTIONS,
        hint: "For the switch in Home Assistant, MQTT and schedules.",
      })}
      ${textField(form, {
        name: "power.countdownSeconds",
        label: "Countdown (seconds)",
        value: String(power.countdownSeconds),
        hint: "So long people there may say “not now”.",
      })}
    </div>
    ${textField(form, {
      name: "power.graceSeconds",
      label: "Give it to go down (seconds)",
      value: power.graceSeconds?.toString() ?? "",
      placeholder: "120",
      hint: "Seen on after that, the power-off has failed.",
    })}
    ${checkField(form, {
      name: "power.offAfterLease",
      label: "Goes down when nobody holds it on any more",
      checked: power.offAfterLease,
    })}`;
}

/** As somebody typed it. @param before for what was not shown. */
export function powerFrom(data: FormData, before: PowerSettings): PowerSettings {
  return {
    ownAgentId: data.has("power.ownAgentId") ? textOrNull(data, "power.ownAgentId") : before.ownAgentId,
    off: textOf(data, "power.off") as PowerSettings["off"], // our own options
    countdownSeconds: numberOrNull(data, "power.countdownSeconds") ?? NEW_POWER.countdownSeconds,
    graceSeconds: numberOrNull(data, "power.graceSeconds"),
    offAfterLease: isChecked(data, "power.offAfterLease"),
  };
}
