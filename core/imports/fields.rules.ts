import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { Description, Name, ShowInHomeAssistant, Tags } from "#contracts/api/common.ts";
import { WakeSettings, WatchSettings } from "#contracts/api/devices.ts";
import type { ImportField } from "#contracts/api/imports.ts";
import { DeviceAddress } from "#contracts/address.ts";
import { OperatingSystem } from "#contracts/agent.ts";
import { Key } from "#contracts/key.ts";
import { MacAddress } from "#contracts/mac-address.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";

/** What a text says of a device, one field beside the other. What it does not say is not there; null says "empty". */
export const ImportedFields = z
  .object({
    name: Name,
    mac: MacAddress,
    key: Key,
    address: DeviceAddress.nullable(),
    os: OperatingSystem,
    enabled: z.boolean(),
    showInHomeAssistant: ShowInHomeAssistant,
    description: Description.nullable(),
    tags: Tags,
    cluster: z.string().trim().max(80).nullable(),
    agents: z.array(z.string().trim().max(80)).max(64, "holds more than 64"),
    "wake.addresses": WakeSettings.shape.addresses,
    "wake.ports": WakeSettings.shape.ports,
    "wake.windowSeconds": WakeSettings.shape.windowSeconds,
    "watch.icmp": WatchSettings.shape.icmp,
    "watch.arp": WatchSettings.shape.arp,
    "watch.tcpPorts": WatchSettings.shape.tcpPorts,
    "watch.intervalSeconds": WatchSettings.shape.intervalSeconds,
  } satisfies Record<ImportField, z.ZodType>)
  .partial()
  .required({ mac: true })
  .strict();
export type ImportedFields = z.infer<typeof ImportedFields>;

export type AllFields = { [Field in ImportField]: Exclude<ImportedFields[Field], undefined> };
export type FieldValue = AllFields[ImportField];

/** A device as an import would describe it: cluster and agents by their keys. */
export function fieldsOf(device: DirectoryDevice, directory: Directory): AllFields {
  const cluster = directory.clusterOf(device);
  return {
    name: device.name,
    mac: MacAddress.parse(device.mac),
    key: Key.parse(device.key),
    address: device.address,
    os: device.os,
    enabled: device.enabled,
    showInHomeAssistant: device.showInHomeAssistant,
    description: device.description || null,
    tags: [...device.tags],
    cluster: cluster.unassigned ? null : cluster.key,
    agents: device.agentIds.flatMap((id) => directory.agents.byId(id)?.key ?? []).toSorted(),
    "wake.addresses": [...device.wake.addresses],
    "wake.ports": [...device.wake.ports],
    "wake.windowSeconds": device.wake.windowSeconds,
    "watch.icmp": device.watch.icmp,
    "watch.arp": device.watch.arp,
    "watch.tcpPorts": [...device.watch.tcpPorts],
    "watch.intervalSeconds": device.watch.intervalSeconds,
  };
}

/** The order of what stands in a list says nothing. */
export function isSame(one: FieldValue, other: FieldValue): boolean {
  return isDeepStrictEqual(ordered(one), ordered(other));
}

function ordered(value: FieldValue): unknown {
  return Array.isArray(value) ? value.map(String).toSorted() : (value ?? null);
}

/** A value as a person reads and writes it; null for an empty one. A comma inside of an entry of a list has a backslash before it. */
export function textOf(value: FieldValue): string | null {
  if (!Array.isArray(value)) return value === null || value === "" ? null : String(value);
  if (value.length === 0) return null;
  return value.map((entry) => String(entry).replaceAll(/[\\,]/g, "\\$&")).join(", ");
}

const LISTS: ReadonlySet<ImportField> = new Set([
  "tags",
  "agents",
  "wake.addresses",
  "wake.ports",
  "watch.tcpPorts",
] as const);
const NUMBERS: ReadonlySet<ImportField> = new Set([
  "wake.ports",
  "wake.windowSeconds",
  "watch.tcpPorts",
  "watch.intervalSeconds",
] as const);
const CLAIMS: ReadonlySet<ImportField> = new Set([
  "enabled",
  "showInHomeAssistant",
  "watch.icmp",
  "watch.arp",
] as const);
/** What an empty text means nothing for: there is no device without one. */
const NEVER_EMPTY: ReadonlySet<ImportField> = new Set([
  "key",
  "os",
  "wake.ports",
  "watch.intervalSeconds",
  ...CLAIMS,
] as const);

/** The other way round. What it cannot read it leaves as it is, and the schema says what is wrong; undefined: it says nothing. */
export function valueFrom(field: ImportField, text: string): unknown {
  const plain = text.trim();
  if (plain === "" && NEVER_EMPTY.has(field)) return undefined;
  if (LISTS.has(field)) return entriesOf(plain).map((entry) => (NUMBERS.has(field) ? numberFrom(entry) : entry));
  if (field === "name" || field === "mac") return plain;
  if (plain === "") return null;
  if (field === "os") return plain.toLowerCase();
  if (CLAIMS.has(field)) return claimFrom(plain);
  return NUMBERS.has(field) ? numberFrom(plain) : plain;
}

function entriesOf(text: string): string[] {
  const entries = text.match(/(?:\\[\s\S]|[^\\,])+/g) ?? [];
  return entries.map((entry) => entry.trim().replaceAll(/\\([\\,])/g, "$1")).filter((entry) => entry !== "");
}

function numberFrom(text: string): unknown {
  return /^\d{1,9}$/.test(text) ? Number(text) : text;
}

function claimFrom(text: string): unknown {
  if (/^(?:true|yes|on|1)$/i.test(text)) return true;
  return /^(?:false|no|off|0)$/i.test(text) ? false : text;
}
