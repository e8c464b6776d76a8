import { z } from "zod";
import { parseJson } from "./json.ts";
import { type ParsedRequest, Transaction } from "./wake.ts";

/** What every request on `hub/request/<verb>` may hold; the other fields are the verb's. */
export const HubRequest = z.looseObject({
  transaction: z.union([Transaction, z.number()]).optional().describe("an id that the response repeats"),
});

/** `hub/response/<verb>`, and the MQTT 5 response topic where one was given. */
export const HubResponse = z.discriminatedUnion("status", [
  z.object({
    status: z.literal("ok"),
    data: z.record(z.string(), z.unknown()).describe("what the verb answers"),
    transaction: Transaction.nullable(),
  }),
  z.object({
    status: z.literal("error"),
    error: z.object({ code: z.string(), reason: z.string() }),
    transaction: Transaction.nullable(),
  }),
]);
export type HubResponse = z.infer<typeof HubResponse>;

/** A request to the hub, read: the fields of the verb without the transaction. */
export interface ReadHubRequest {
  readonly transaction: string | null;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Reads the payload of `hub/request/<verb>`: a JSON object, or nothing at all for one without fields. */
export function parseHubRequest(payload: string): ParsedRequest<ReadHubRequest> {
  const text = payload.trim();
  const json = parseJson(text === "" ? "{}" : text);
  if (json === undefined) return { ok: false, reason: "the payload is not valid JSON", transaction: null };
  const parsed = HubRequest.safeParse(json);
  if (!parsed.success)
    return { ok: false, reason: "the payload is no JSON object, or its transaction is no text", transaction: null };
  const { transaction, ...fields } = parsed.data;
  return { ok: true, request: { transaction: transaction === undefined ? null : String(transaction), fields } };
}
