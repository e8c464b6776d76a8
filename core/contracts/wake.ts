import { z } from "zod";
import { PacketDestination } from "./agent.ts";
import { Instant } from "./instant.ts";
import { parseJson } from "./json.ts";
import { Key } from "./key.ts";
import { MacAddress } from "./mac-address.ts";
import { FindingNote } from "./finding.ts";
import { Evidence } from "./power.ts";
import { problemOf } from "./problems.ts";

/** An id that the asker chooses and every result repeats. */
export const Transaction = z.string().min(1).max(128);

/** A wake request, parsed. `devices: null` means every enabled device of the cluster. */
export const WakeRequest = z.union([
  z.object({
    devices: z.array(Key).min(1).max(10_000).nullable(),
    mac: z.null(),
    transaction: Transaction.nullable(),
    force: z.boolean(),
  }),
  z.object({ devices: z.null(), mac: MacAddress, transaction: Transaction.nullable(), force: z.boolean() }),
]);
export type WakeRequest = z.infer<typeof WakeRequest>;

const WakeRequestJson = z
  .object({
    devices: z.array(Key).min(1).max(10_000).optional(),
    mac: MacAddress.optional(),
    transaction: z.union([Transaction, z.number().transform(String)]).optional(),
    force: z.boolean().default(false),
  })
  .strict()
  .refine((request) => !(request.devices && request.mac), "names both devices and a mac; choose one");

const KeyList = z
  .string()
  .transform((text) => text.split(",").map((key) => key.trim()))
  .pipe(z.array(Key).min(1).max(10_000));

export type ParsedRequest<Request> =
  | { ok: true; request: Request }
  | { ok: false; reason: string; transaction: string | null };

/**
 * Reads the payload of `cluster/<cluster>/wake` that is no order: empty or `*`, `nas,pve-1`, or JSON.
 *
 * A refusal names the field; it keeps the transaction where that much could be read, so that the asker recognises it.
 */
export function parseWakeRequest(payload: string): ParsedRequest<WakeRequest> {
  const text = payload.trim();
  if (text === "" || text === "*") return accepted({ devices: null, mac: null, transaction: null, force: false });
  if (!text.startsWith("{")) {
    const keys = KeyList.safeParse(text);
    if (!keys.success) return refused("the payload is neither a list of device keys nor JSON", null);
    return accepted({ devices: keys.data, mac: null, transaction: null, force: false });
  }
  const json = parseJson(text);
  if (json === undefined) return refused("the payload is not valid JSON", null);
  const parsed = WakeRequestJson.safeParse(json);
  if (!parsed.success) return refused(problemOf(parsed.error), transactionOf(json));
  const { devices, mac, transaction = null, force } = parsed.data;
  return mac
    ? accepted({ devices: null, mac, transaction, force })
    : accepted({ devices: devices ?? null, mac: null, transaction, force });
}

export const PowerAction = z.enum(["wake", "off", "shutdown", "sleep", "hibernate", "reboot"]);
export type PowerAction = z.infer<typeof PowerAction>;

/** A power request, parsed: what `device/<device>/set` and `cluster/<cluster>/set` hold. */
export const PowerRequest = z.object({ action: PowerAction, transaction: Transaction.nullable(), force: z.boolean() });
export type PowerRequest = z.infer<typeof PowerRequest>;

/** An action in any case; `ON` is a wake. */
export const PowerActionWord = z.preprocess((word) => (typeof word === "string" ? actionOf(word) : word), PowerAction);

const PowerRequestJson = z
  .object({
    action: PowerActionWord,
    transaction: z.union([Transaction, z.number().transform(String)]).optional(),
    force: z.boolean().default(false),
  })
  .strict();

/** Reads the payload of a `set` topic: `ON` `OFF` `WAKE` `SHUTDOWN` `SLEEP` `HIBERNATE` `REBOOT` in any case, or JSON with `action`. */
export function parsePowerRequest(payload: string): ParsedRequest<PowerRequest> {
  const text = payload.trim();
  if (!text.startsWith("{")) {
    const action = PowerAction.safeParse(actionOf(text));
    if (!action.success)
      return refused("the payload is none of ON, OFF, WAKE, SHUTDOWN, SLEEP, HIBERNATE, REBOOT and not JSON", null);
    return accepted({ action: action.data, transaction: null, force: false });
  }
  const json = parseJson(text);
  if (json === undefined) return refused("the payload is not valid JSON", null);
  const parsed = PowerRequestJson.safeParse(json);
  if (!parsed.success) return refused(problemOf(parsed.error), transactionOf(json));
  return accepted({ ...parsed.data, transaction: parsed.data.transaction ?? null });
}

function actionOf(word: string): string {
  const lower = word.toLowerCase();
  return lower === "on" ? "wake" : lower;
}

/** Where a wake stands. `waiting → accepted → sent → on-wire` are steps; the others are final. */
export const WakeStage = z.enum([
  "waiting",
  "accepted",
  "sent",
  "on-wire",
  "awake",
  "already-on",
  "no-answer",
  "failed",
  "cancelled",
]);
export type WakeStage = z.infer<typeof WakeStage>;

export const FINAL_STAGES: ReadonlySet<WakeStage> = new Set<WakeStage>([
  "awake",
  "already-on",
  "no-answer",
  "failed",
  "cancelled",
]);

/** Why one agent could not do its part of a wake. */
export const AgentFailure = z.object({ agent: Key, code: z.string(), reason: z.string() });
export type AgentFailure = z.infer<typeof AgentFailure>;

const common = { at: Instant };

/** One thing that happened in a wake, with what is known by then. Published as a result and kept as history. */
export const WakeStageRecord = z.discriminatedUnion("stage", [
  z.object({
    stage: z.literal("waiting"),
    ...common,
    for: z.array(Key).describe("devices that have to be up before"),
    reason: z.string(),
  }),
  z.object({ stage: z.literal("accepted"), ...common, agents: z.array(Key).describe("agents that will send") }),
  z.object({
    stage: z.literal("sent"),
    ...common,
    agent: Key,
    packets: z.int(),
    destinations: z.array(PacketDestination),
  }),
  z.object({
    stage: z.literal("on-wire"),
    ...common,
    agent: Key.describe("another agent on the segment, which heard the magic packet"),
    from: z.string().describe("the address that it came from"),
    port: z.int(),
  }),
  z.object({
    stage: z.literal("awake"),
    ...common,
    seconds: z.number().describe("since the request"),
    evidence: Evidence,
  }),
  z.object({ stage: z.literal("already-on"), ...common, evidence: Evidence.nullable() }),
  z.object({
    stage: z.literal("no-answer"),
    ...common,
    seconds: z.number(),
    resent: z.int().describe("times re-sent"),
    agents: z.array(AgentFailure),
    findings: z.array(FindingNote).default([]).describe("what the doctor found"),
  }),
  z.object({
    stage: z.literal("failed"),
    ...common,
    code: z.string(),
    reason: z.string(),
    agents: z.array(AgentFailure),
    findings: z.array(FindingNote).default([]).describe("what the doctor found"),
  }),
  z.object({ stage: z.literal("cancelled"), ...common, by: z.string() }),
]);
export type WakeStageRecord = z.infer<typeof WakeStageRecord>;

const asked = { transaction: Transaction.nullable(), wake: z.uuid(), device: Key };

/** `cluster/<cluster>/wake/result`, and the MQTT 5 response topic where one was given. */
export const WakeResult = z.intersection(z.object(asked), WakeStageRecord);
export type WakeResult = z.infer<typeof WakeResult>;

/** A request that could not be taken at all, on the result topic of the thing that it names. */
export const Refusal = z.object({
  transaction: Transaction.nullable(),
  device: Key.nullable(),
  stage: z.literal("refused"),
  at: Instant,
  code: z.string(),
  reason: z.string(),
});
export type Refusal = z.infer<typeof Refusal>;

function accepted<Request>(request: Request): ParsedRequest<Request> {
  return { ok: true, request };
}

function refused(reason: string, transaction: string | null): ParsedRequest<never> {
  return { ok: false, reason, transaction };
}

function transactionOf(json: unknown): string | null {
  const parsed = z.object({ transaction: z.union([Transaction, z.number().transform(String)]) }).safeParse(json);
  return parsed.success ? parsed.data.transaction : null;
}
