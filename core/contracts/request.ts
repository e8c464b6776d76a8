import { z } from "zod";
import { OperatingSystem } from "./agent.ts";
import { DoctorReport } from "./api/doctor.ts";
import { PowerPlan } from "./api/plans.ts";
import { LeaseAnswer, NAME_ONE_END, leaseFields, namesOneEnd } from "./api/leases.ts";
import { parseJson } from "./json.ts";
import { Key } from "./key.ts";
import { MacAddress } from "./mac-address.ts";
import { Availability, ClusterInfo, DeviceInfo, HubInfo, SwitchState } from "./power.ts";
import type { MqttPermission } from "./principal.ts";
import { fieldOf, problemOf } from "./problems.ts";
import { PowerOffStage } from "./power-off.ts";
import { PowerActionWord, Transaction, WakeStage } from "./wake.ts";

/** What each verb on `hub/request/<verb>` takes, answers and needs. */
export interface HubRequestKind {
  readonly summary: string;
  readonly fields: z.ZodType<object>;
  readonly data: z.ZodType<Record<string, unknown>>;
  /** Any one of these will do. */
  readonly needs: readonly MqttPermission[];
}

/** `cluster:home`, `agent:pi`, `device:nas`: the last thing that the page before told of. */
export const InventoryCursor = z.string().regex(/^(?:cluster|agent|device):[a-z0-9-]{1,63}$/, "is no cursor");

const InventoryCluster = ClusterInfo.extend({ key: Key, state: SwitchState });
const InventoryAgent = z.object({
  key: Key,
  name: z.string(),
  cluster: Key.nullable(),
  status: Availability,
  version: z.string(),
  os: OperatingSystem,
});
const InventoryDevice = DeviceInfo.extend({ key: Key, mac: MacAddress, availability: Availability });

export const Inventory = z.object({
  clusters: z.array(InventoryCluster),
  agents: z.array(InventoryAgent),
  devices: z.array(InventoryDevice),
  next: InventoryCursor.nullable().describe("the cursor of the following page; null on the last one"),
});
export type Inventory = z.infer<typeof Inventory>;

const target = {
  device: Key.optional(),
  devices: z.array(Key).min(1).max(10_000).optional(),
  cluster: Key.optional().describe("every enabled device of it"),
  mac: MacAddress.optional().describe("in any usual notation"),
};
const force = z.boolean().default(false).describe("also what is on already; off in spite of what speaks against it");

/** What came of a request for one device. */
const WakePart = z.object({
  device: Key,
  wake: z.uuid().nullable().describe("null when none was made"),
  stage: z.union([WakeStage, z.literal("refused")]),
  code: z.string().optional(),
  reason: z.string().optional(),
});
export type WakePart = z.infer<typeof WakePart>;

const WakeData = z.object({
  wakes: z.array(WakePart).describe("of a very large cluster as many as fit into a packet"),
  total: z.int().describe("how many devices were asked for"),
});
export type WakeData = z.infer<typeof WakeData>;

/** The same of a power request that wakes nothing. */
const PowerOffPart = z.object({
  device: Key,
  powerOff: z.uuid().nullable().describe("null when none was made"),
  stage: z.union([PowerOffStage, z.literal("refused")]),
  code: z.string().optional(),
  reason: z.string().optional(),
});
export type PowerOffPart = z.infer<typeof PowerOffPart>;

const PowerData = WakeData.extend({ powerOffs: z.array(PowerOffPart).describe("the same where it was none to wake") });

const Problem = z.object({ cluster: Key.nullable().describe("null: the hub itself"), problem: z.string() });

export const HubHealth = z.object({
  hub: HubInfo,
  broker: z.object({
    embedded: z.boolean(),
    clients: z.int().nullable().describe("who is connected; null where the broker is somebody else's"),
  }),
  agents: z.object({ total: z.int(), online: z.int() }).describe("those that the asker may see"),
  problems: z.array(Problem).describe("the first hundred that the asker may see"),
});
export type HubHealth = z.infer<typeof HubHealth>;

export const hubRequests = {
  inventory: {
    summary: "Clusters, agents and devices with their states, page by page",
    fields: z.strictObject({
      cluster: Key.optional().describe("this one alone"),
      limit: z.int().min(1).max(1_000).optional().describe("things on a page; as many as fit into a packet at most"),
      cursor: InventoryCursor.optional().describe("`next` of the page before"),
    }),
    data: Inventory,
    needs: ["read"],
  },
  wake: {
    summary: "Wakes; each stage follows as a result",
    fields: z.strictObject({ ...target, force }).refine(namesOne, {
      error: "name one of device, devices, cluster and mac",
      path: ["device"],
    }),
    data: WakeData,
    needs: ["wake"],
  },
  power: {
    summary: "What a `set` topic does",
    fields: z
      .strictObject({ device: target.device, cluster: target.cluster, action: PowerActionWord, force })
      .refine(namesOne, { error: "name either device or cluster", path: ["device"] }),
    data: PowerData,
    needs: ["power", "wake"],
  },
  lease: {
    summary: "Holds a device on: until an instant, for some minutes, or until it is given back",
    fields: z.strictObject({ device: Key, ...leaseFields }).refine(namesOneEnd, NAME_ONE_END),
    data: z.object({
      lease: LeaseAnswer,
      wake: WakePart.nullable().describe("null where the device was on already, or was not to be woken"),
    }),
    needs: ["wake"],
  },
  release: {
    summary: "Gives leases back: one, or all that the asker holds on a device",
    fields: z
      .strictObject({ device: Key.optional(), lease: z.uuid().optional() })
      .refine(({ device, lease }) => (device === undefined) !== (lease === undefined), {
        error: "name either device or lease",
        path: ["device"],
      }),
    data: z.object({ released: z.int().describe("how many leases ended") }),
    needs: ["wake"],
  },
  plan: {
    summary: "What waking or powering off would do; nothing is done",
    fields: z
      .strictObject({
        device: target.device,
        cluster: target.cluster,
        action: PowerPlan.shape.action.default("wake"),
        force,
      })
      .refine(namesOne, { error: "name either device or cluster", path: ["device"] }),
    data: PowerPlan.extend({
      steps: PowerPlan.shape.steps.describe("of a very large cluster as many as fit into a packet"),
      total: z.int().describe("how many steps there are"),
    }),
    needs: ["read"],
  },
  doctor: {
    summary: "Why a device does not wake, or would not, and what to do",
    fields: z.strictObject({ device: Key }),
    data: DoctorReport,
    needs: ["read"],
  },
  "send-discovery": {
    summary: "Publishes the configs for Home Assistant again",
    fields: z.strictObject({}),
    data: z.object({ configs: z.int() }),
    needs: ["discovery"],
  },
  health: {
    summary: "How the hub is, and what is wrong",
    fields: z.strictObject({}),
    data: HubHealth,
    needs: ["read"],
  },
} as const satisfies Record<string, HubRequestKind>;

export type HubVerb = keyof typeof hubRequests;
export type RequestFields<V extends HubVerb> = z.output<(typeof hubRequests)[V]["fields"]>;
export type RequestData<V extends HubVerb> = z.output<(typeof hubRequests)[V]["data"]>;

function namesOne({ device, devices, cluster, mac }: Partial<Record<keyof typeof target, unknown>>): boolean {
  return [device, devices, cluster, mac].filter((named) => named !== undefined).length === 1;
}

/** What every request may hold besides the fields of its verb. */
export const RequestTransaction = z
  .union([Transaction, z.number().transform(String)])
  .describe("an id that the response repeats; the MQTT 5 user property `transaction` does as well");

const Done = z.object({
  status: z.literal("ok"),
  data: z.record(z.string(), z.unknown()).describe("what the verb answers"),
  transaction: Transaction.nullable(),
});
const Refused = z.object({
  status: z.literal("error"),
  error: z.object({
    code: z.string(),
    reason: z.string(),
    field: z.string().nullable().describe("the field of the request that it is about"),
  }),
  transaction: Transaction.nullable(),
});

/** `hub/response/<verb>`, and the MQTT 5 response topic where one was given. */
export const HubResponse = z.discriminatedUnion("status", [Done, Refused]);
export type HubResponse = z.infer<typeof HubResponse>;

/** The payloads of all verbs, for documents. */
export function hubMessages(
  kind: "request" | "response",
): Record<string, { readonly summary: string; readonly payload: z.ZodType }> {
  const transaction = RequestTransaction.nullish();
  return Object.fromEntries(
    Object.entries(hubRequests).map(([verb, { summary, fields, data }]) => {
      const payload =
        kind === "request"
          ? fields.safeExtend({ transaction })
          : z.discriminatedUnion("status", [Done.extend({ data }), Refused]);
      return [verb, { summary, payload }];
    }),
  );
}

/** A request to the hub, or why it is none. The transaction is kept where that much could be read. */
export type ReadHubRequest = ({ readonly ok: true; readonly fields: object } | Unreadable) & {
  readonly transaction: string | null;
};
interface Unreadable {
  readonly ok: false;
  readonly reason: string;
  readonly field: string | null;
}

/** Reads the payload of `hub/request/<verb>`: a JSON object, or nothing at all for one without fields. */
export function parseHubRequest(payload: string): ReadHubRequest {
  const text = payload.trim();
  const json = parseJson(text === "" ? "{}" : text);
  if (json === undefined) return unreadable("the payload is not valid JSON", null);
  if (typeof json !== "object" || json === null || Array.isArray(json))
    return unreadable("the payload is no JSON object", null);
  const { transaction: told, ...fields } = json as { transaction?: unknown };
  if (told === undefined || told === null) return { ok: true, fields, transaction: null };
  const transaction = RequestTransaction.safeParse(told);
  if (!transaction.success) return unreadable("transaction: is no text of 1 to 128 characters", "transaction");
  return { ok: true, fields, transaction: transaction.data };
}

function unreadable(reason: string, field: string | null): Unreadable & { readonly transaction: null } {
  return { ok: false, reason, field, transaction: null };
}

/** The fields of a verb, checked. */
export function parseFields<V extends HubVerb>(
  verb: V,
  fields: object,
): { readonly ok: true; readonly fields: RequestFields<V> } | Unreadable {
  const parsed = hubRequests[verb].fields.safeParse(fields);
  return parsed.success
    ? { ok: true, fields: parsed.data as RequestFields<V> } // the schema is the verb's
    : { ok: false, reason: problemOf(parsed.error), field: fieldOf(parsed.error) };
}
