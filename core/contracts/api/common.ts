import { z } from "zod";
import { ShareLevel } from "../permissions.ts";
import { text } from "../text.ts";

/** RFC 9457: what every refusal looks like. `errors` names the fields. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })),
  requestId: z.string(),
});
export type Problem = z.infer<typeof Problem>;

/** The part of a list that was asked for. `next` is the cursor of the following part. */
export const page = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next: z.string().nullable(), total: z.int() });

/** What every list takes. */
export const ListQuery = z
  .object({
    limit: z.coerce.number().int().min(1).max(200).default(50),
    cursor: z.string().max(500).optional(),
    q: z.string().trim().max(100).optional().describe("part of a name, key or other text"),
  })
  .strict();
export type ListQuery = z.infer<typeof ListQuery>;

export const Name = z
  .string()
  .trim()
  .min(1, "is empty")
  .max(80, "is longer than 80 characters")
  .refine(noControlCharacters, "holds a control character");
export const Description = text(2_000).trim();
export const Tags = z
  .array(z.string().trim().min(1).max(40).refine(noControlCharacters, "holds a control character"))
  .max(20, "holds more than 20")
  .overwrite((tags) => [...new Set(tags)]);

/** Set false by Home Assistant too, when a person deletes the thing there. */
export const ShowInHomeAssistant = z.boolean().describe("whether Home Assistant's discovery tells of it");

/** Whose it is. Admins may hand it on; null = nobody's. */
export const OwnerId = z.uuid().nullable();

/** With whom the owner shares it: the whole list. Empty for whoever may not see users. */
export const Shares = z
  .array(z.object({ userId: z.uuid(), level: ShareLevel }).strict())
  .max(100, "holds more than 100")
  .refine((shares) => new Set(shares.map((share) => share.userId)).size === shares.length, "names somebody twice");

export const IdParams = z.object({ id: z.uuid() });

/** A link between a device and an agent that a move took away. */
export const DroppedLink = z.object({ deviceId: z.uuid(), agentId: z.uuid() });
export type DroppedLink = z.infer<typeof DroppedLink>;

function noControlCharacters(text: string): boolean {
  // Cs: half of a surrogate pair; the others turn round what follows them
  return !/[\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069]/u.test(text);
}
