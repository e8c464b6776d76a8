import { type TemplateResult, html, nothing } from "lit";
import type { PowerMethod, PowerMethodAnswer } from "#contracts/api/power-methods.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import "../app/copy-text.ts";
import { checkField, selectField, textField } from "../form/fields.ts";
import type { FormState } from "../form/form-state.ts";
import { ACTION_WORDS } from "../words/power-off.ts";
import { ACTIONS, type MethodType } from "./power-method-fields.ts";

type Method<Type extends MethodType> = Extract<PowerMethod, { type: Type }> | null;

const COMMANDS: Readonly<Record<PowerOffAction, string>> = {
  shutdown: "e.g. sudo systemctl poweroff",
  sleep: "e.g. sudo systemctl suspend",
  hibernate: "e.g. sudo systemctl hibernate",
  reboot: "e.g. sudo systemctl reboot",
};

const VERBS = ["POST", "GET", "PUT", "PATCH", "DELETE"].map((value) => ({ value, label: value }));

/** The fields of one way. @param kept what is kept of this very way; null for a new one. */
export function methodView(
  form: FormState,
  type: MethodType,
  kept: PowerMethod | null,
  { secretsSet, publicKey }: PowerMethodAnswer,
): TemplateResult {
  switch (type) {
    case "ssh":
      return sshView(form, kept?.type === "ssh" ? kept : null, secretsSet, publicKey);
    case "mqtt":
      return mqttView(form, kept?.type === "mqtt" ? kept : null);
    case "http":
      return httpView(form, kept?.type === "http" ? kept : null, secretsSet);
  }
}

function sshView(
  form: FormState,
  kept: Method<"ssh">,
  secretsSet: PowerMethodAnswer["secretsSet"],
  publicKey: string | null,
) {
  const hasKey = secretsSet.includes("privateKey");
  return html`<div class="two">
      ${textField(form, {
        name: "method.host",
        label: "Host",
        value: kept?.host ?? "",
        placeholder: "the device's own address",
        mono: true,
      })}
      ${textField(form, { name: "method.port", label: "Port", value: String(kept?.port ?? 22), mono: true })}
    </div>
    ${textField(form, { name: "method.username", label: "User name", value: kept?.username ?? "", required: true })}
    ${textField(form, {
      name: "secrets.privateKey",
      label: "Private key",
      rows: 4,
      mono: true,
      hint: hasKey
        ? "One is kept, and never shown. Paste another to replace it."
        : "Empty: the hub makes one, and shows the line to put there. It is kept encrypted, and never shown.",
    })}
    ${publicKey === null ? nothing : html`<copy-text what="public key" .text=${publicKey}></copy-text>`}
    ${textField(form, {
      name: "secrets.passphrase",
      label: "Passphrase of the key",
      type: "password",
      autocomplete: "new-password",
      hint: secretsSet.includes("passphrase") ? "One is kept; type to replace it." : "Only where the key has one.",
    })}
    ${
      secretsSet.includes("passphrase")
        ? checkField(form, { name: "forgetPassphrase", label: "Forget the passphrase", checked: false })
        : nothing
    }
    ${textField(form, {
      name: "method.hostKey",
      label: "Host key",
      value: kept?.hostKey ?? "",
      placeholder: "SHA256:…",
      hint: "Empty: the one that it shows first is pinned, and no other is taken from then on.",
      mono: true,
    })}
    <fieldset>
      <legend>Commands</legend>
      <p class="quiet small">What is left empty it cannot do this way.</p>
      ${ACTIONS.map((action) =>
        textField(form, {
          name: `method.commands.${action}`,
          label: ACTION_WORDS[action].label,
          value: kept?.commands[action] ?? "",
          placeholder: COMMANDS[action],
          mono: true,
        }),
      )}
    </fieldset>`;
}

function mqttView(form: FormState, kept: Method<"mqtt">) {
  return html`${textField(form, {
      name: "method.topic",
      label: "Topic of the command",
      value: kept?.topic ?? "",
      placeholder: "e.g. cmnd/plug/POWER or zigbee2mqtt/plug/set",
      mono: true,
      required: true,
    })}
    <fieldset>
      <legend>Payloads</legend>
      <p class="quiet small">
        A plug cuts the power, and whatever runs is lost: only for machines that bear it. What is left empty it cannot
        do.
      </p>
      ${ACTIONS.map((action) =>
        textField(form, {
          name: `method.payloads.${action}`,
          label: ACTION_WORDS[action].label,
          value: kept?.payloads[action] ?? "",
          ...(action === "shutdown" && { placeholder: 'e.g. OFF or {"state":"OFF"}' }),
          mono: true,
        }),
      )}
    </fieldset>
    <details ?open=${Boolean(kept?.stateTopic)}>
      <summary>Its state, as evidence</summary>
      <div class="fields">
        <div class="two">
          ${textField(form, {
            name: "method.stateTopic",
            label: "Topic of the state",
            value: kept?.stateTopic ?? "",
            placeholder: "e.g. stat/plug/POWER",
            mono: true,
          })}
          ${textField(form, {
            name: "method.statePath",
            label: "Field in it",
            value: kept?.statePath ?? "",
            placeholder: "e.g. state",
            hint: "Empty: the payload itself.",
            mono: true,
          })}
        </div>
        <div class="two">
          ${textField(form, { name: "method.stateOn", label: "Says on by", value: kept?.stateOn ?? "ON", mono: true })}
          ${textField(form, { name: "method.stateOff", label: "Says off by", value: kept?.stateOff ?? "OFF", mono: true })}
        </div>
      </div>
    </details>
    <details ?open=${Boolean(kept?.wattsTopic)}>
      <summary>Watts</summary>
      <div class="fields">
        <div class="two">
          ${textField(form, {
            name: "method.wattsTopic",
            label: "Topic of the watts",
            value: kept?.wattsTopic ?? "",
            placeholder: "e.g. tele/plug/SENSOR",
            mono: true,
          })}
          ${textField(form, {
            name: "method.wattsPath",
            label: "Field in it",
            value: kept?.wattsPath ?? "",
            placeholder: "e.g. ENERGY.Power",
            mono: true,
          })}
        </div>
        ${textField(form, {
          name: "method.standbyWatts",
          label: "Off below (watts)",
          value: kept?.standbyWatts?.toString() ?? "",
          placeholder: "e.g. 4",
          hint: "Empty: watts say nothing about whether it is on.",
        })}
      </div>
    </details>`;
}

function httpView(form: FormState, kept: Method<"http">, secretsSet: PowerMethodAnswer["secretsSet"]) {
  const hasHeaders = secretsSet.includes("headers");
  return html`${ACTIONS.map((action) => requestView(form, action, kept))}
  ${textField(form, {
    name: "secrets.headers",
    label: "Headers",
    rows: 2,
    mono: true,
    hint: hasHeaders
      ? "Some are kept, and never shown. Type all of them to replace them."
      : "One in a line, such as Authorization: Bearer … They are kept encrypted, and never shown again.",
  })}
  ${hasHeaders ? checkField(form, { name: "forgetHeaders", label: "Forget the headers", checked: false }) : nothing}`;
}

function requestView(form: FormState, action: PowerOffAction, kept: Method<"http">) {
  const name = `method.requests.${action}`;
  const request = kept?.requests[action];
  return html`<details ?open=${action === "shutdown" || request !== undefined}>
    <summary>${ACTION_WORDS[action].label}</summary>
    <div class="fields">
      <div class="two">
        ${textField(form, {
          name: `${name}.url`,
          label: "Address",
          value: request?.url ?? "",
          placeholder: "e.g. http://192.168.1.9/off",
          mono: true,
        })}
        ${selectField(form, {
          name: `${name}.method`,
          label: "Method",
          value: request?.method ?? "POST",
          options: VERBS,
        })}
      </div>
      ${textField(form, { name: `${name}.body`, label: "Body", value: request?.body ?? "", rows: 2, mono: true })}
      ${textField(form, {
        name: `${name}.contentType`,
        label: "Content type",
        value: request?.contentType ?? "application/json",
        mono: true,
      })}
    </div>
  </details>`;
}
