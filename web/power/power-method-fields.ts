import type { z } from "zod";
import type { PowerMethod, PowerMethodBody, PowerMethodSecrets } from "#contracts/api/power-methods.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import { CallError } from "../api/call.ts";
import { isChecked, numberOrNull, textOf, textOrNull, typed } from "../form/values.ts";
import { ACTION_WORDS } from "../words/power-off.ts";

/** In the order in which they are offered. */
export const ACTIONS = Object.keys(ACTION_WORDS) as PowerOffAction[]; // a record of all of them

export type MethodType = PowerMethod["type"];
type Input = z.input<typeof PowerMethodBody>;
type Secrets = z.input<typeof PowerMethodSecrets>;

/** What somebody typed, in the shape that the hub takes. @throws CallError where a line of headers is none. */
export function bodyFrom(type: MethodType, data: FormData): Input {
  switch (type) {
    case "ssh":
      return { method: sshFrom(data), secrets: keysFrom(data) };
    case "mqtt":
      return { method: mqttFrom(data), secrets: {} };
    case "http":
      return { method: { type: "http", requests: requestsFrom(data) }, secrets: headersFrom(data) };
  }
}

function sshFrom(data: FormData): Input["method"] {
  return {
    type: "ssh",
    host: textOrNull(data, "method.host"),
    port: numberOrNull(data, "method.port") ?? 22,
    username: textOf(data, "method.username"),
    hostKey: textOrNull(data, "method.hostKey"),
    commands: perAction(data, "method.commands"),
  };
}

function mqttFrom(data: FormData): Input["method"] {
  return {
    type: "mqtt",
    topic: textOf(data, "method.topic"),
    payloads: perAction(data, "method.payloads"),
    stateTopic: textOrNull(data, "method.stateTopic"),
    statePath: textOrNull(data, "method.statePath"),
    stateOn: textOf(data, "method.stateOn") || "ON",
    stateOff: textOf(data, "method.stateOff") || "OFF",
    wattsTopic: textOrNull(data, "method.wattsTopic"),
    wattsPath: textOrNull(data, "method.wattsPath"),
    standbyWatts: numberOrNull(data, "method.standbyWatts"),
  };
}

function requestsFrom(data: FormData) {
  const given = ACTIONS.filter((action) => textOf(data, `method.requests.${action}.url`) !== "");
  return Object.fromEntries(
    given.map((action) => {
      const at = (name: string) => textOf(data, `method.requests.${action}.${name}`);
      const method = at("method") as "POST"; // one of our own options
      const request = { method, url: at("url"), body: at("body") || null, contentType: at("contentType") };
      return [action, { ...request, contentType: request.contentType || "application/json" }];
    }),
  );
}

function perAction(data: FormData, name: string): Partial<Record<PowerOffAction, string>> {
  const given = ACTIONS.map((action) => [action, textOf(data, `${name}.${action}`)] as const);
  return Object.fromEntries(given.filter(([, text]) => text !== ""));
}

/** What is kept is never shown, so an empty field means: as it was. */
function keysFrom(data: FormData): Secrets {
  const privateKey = typed(data, "secrets.privateKey").trim();
  const passphrase = typed(data, "secrets.passphrase");
  return {
    ...(privateKey !== "" && { privateKey: `${privateKey}\n` }),
    ...(passphrase !== "" && { passphrase }),
    ...(isChecked(data, "forgetPassphrase") && { passphrase: null }),
  };
}

function headersFrom(data: FormData): Secrets {
  if (isChecked(data, "forgetHeaders")) return { headers: null };
  const lines = typed(data, "secrets.headers")
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  if (lines.length === 0) return {};
  return { headers: Object.fromEntries(lines.map(headerOf)) };
}

function headerOf(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  if (colon < 1)
    throw new CallError("INVALID_INPUT", "A header is a name, a colon and a value", [
      { path: "secrets.headers", message: "has a line without a name and a colon" },
    ]);
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}
