import { z } from "zod";
import { MacAddress } from "../mac-address.ts";

/** The most that may be imported at once. Bytes of UTF-8, and devices. */
export const MAX_IMPORT_BYTES = 512 * 1024;
export const MAX_IMPORTED_DEVICES = 2_000;

/** The kinds of text that devices are read from. `docs/importing.md` has an example of each. */
export const ImportFormat = z.enum(["csv", "home-assistant", "upsnap", "ethers", "dnsmasq", "dhcpd"]);
export type ImportFormat = z.infer<typeof ImportFormat>;

/** What an import may say of a device, by the name that the API has for it; these are the columns of CSV, too. */
export const IMPORT_FIELDS = [
  "name",
  "mac",
  "key",
  "address",
  "os",
  "enabled",
  "showInHomeAssistant",
  "description",
  "tags",
  "cluster",
  "agents",
  "wake.addresses",
  "wake.ports",
  "wake.windowSeconds",
  "watch.icmp",
  "watch.arp",
  "watch.tcpPorts",
  "watch.intervalSeconds",
] as const;
export const ImportField = z.enum(IMPORT_FIELDS);
export type ImportField = z.infer<typeof ImportField>;

const source = {
  format: ImportFormat,
  text: z
    .string()
    .refine((text) => new TextEncoder().encode(text).length <= MAX_IMPORT_BYTES, "is larger than 512 KiB")
    .describe("the file as it is"),
  clusterId: z.uuid().nullable().optional().describe("where new devices go that name no cluster of their own"),
};

export const ImportPreviewInput = z.object(source).strict();
export type ImportPreviewInput = z.infer<typeof ImportPreviewInput>;

/** One field, as text; null = empty. */
const Difference = z.object({ field: ImportField, from: z.string().nullable(), to: z.string().nullable() });
export type Difference = z.infer<typeof Difference>;

const DeviceRef = z.object({ id: z.uuid(), key: z.string(), name: z.string() });

const found = {
  line: z.int().min(1).describe("where it begins in the text"),
  mac: MacAddress,
  name: z.string(),
  notes: z.array(z.string()).describe("what is left out, or kept as a description, and why"),
};
const proposed = {
  ...found,
  differences: z.array(Difference),
  version: z.string().describe("says exactly this proposal; it is applied only as long as it is the same"),
};

/** What would become of one device of the text. */
export const ImportItem = z.discriminatedUnion("action", [
  z.object({ action: z.literal("create"), ...proposed }),
  z.object({ action: z.literal("change"), ...proposed, device: DeviceRef }),
  z.object({ action: z.literal("unchanged"), ...found, device: DeviceRef }),
  z.object({
    action: z.literal("impossible"),
    ...found,
    mac: z.string().nullable(),
    name: z.string().nullable(),
    problem: z.string(),
  }),
]);
export type ImportItem = z.infer<typeof ImportItem>;

export const ImportPreview = z.object({
  items: z.array(ImportItem).describe("in the order of the text"),
  notes: z.array(z.string()).describe("about the text as a whole"),
});
export type ImportPreview = z.infer<typeof ImportPreview>;

/** The same text once more, and what a person chose of its preview. */
export const ImportInput = z
  .object({
    ...source,
    chosen: z
      .array(z.object({ mac: MacAddress, version: z.string().max(64) }).strict())
      .max(MAX_IMPORTED_DEVICES, `holds more than ${MAX_IMPORTED_DEVICES}`),
  })
  .strict();
export type ImportInput = z.infer<typeof ImportInput>;

/**
 * What became of one choice. `unchanged`: it was so already. `conflict`: the device, or what the text means for it, is
 * another since the preview. Of these two, and of what is `impossible`, nothing was done.
 */
export const ImportOutcome = z.enum(["created", "changed", "unchanged", "conflict", "impossible"]);
export type ImportOutcome = z.infer<typeof ImportOutcome>;

export const ImportResult = z.object({
  items: z.array(
    z.object({
      mac: MacAddress,
      outcome: ImportOutcome,
      device: DeviceRef.nullable(),
      reason: z.string().nullable().describe("why nothing was done, in a sentence"),
    }),
  ),
});
export type ImportResult = z.infer<typeof ImportResult>;

export const ExportFormat = z.enum(["csv", "home-assistant", "upsnap", "ethers"]);
export type ExportFormat = z.infer<typeof ExportFormat>;

export const ExportQuery = z.object({ format: ExportFormat.default("csv") }).strict();
