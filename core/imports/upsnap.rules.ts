import { isIPv4 } from "node:net";
import { z } from "zod";
import { MAX_IMPORTED_DEVICES } from "#contracts/api/imports.ts";
import { type RawDevice, type Reading, type Unusable, clipped } from "./found.rules.ts";

const text = z.string().catch("");

/** What counts here of a record of UpSnap's collection `devices`. What is of another type than UpSnap gives it is not there. */
const Record = z.object({
  name: text,
  ip: text,
  mac: text,
  netmask: text,
  description: text,
  wake_cron: text,
  wake_cron_enabled: z.boolean().catch(false),
  shutdown_cron: text,
  shutdown_cron_enabled: z.boolean().catch(false),
  shutdown_cmd: text,
  password: text,
  ports: z.array(z.unknown()).catch([]),
  groups: z.array(z.unknown()).catch([]),
  expand: z
    .object({
      ports: z.array(z.object({ number: z.int().min(1).max(65_535) }).catch({ number: 0 })).catch([]),
      groups: z.array(z.object({ name: text })).catch([]),
    })
    .catch({ ports: [], groups: [] }),
});
type Record = z.infer<typeof Record>;

/** A list of PocketBase, which UpSnap keeps its devices in. */
const RecordList = z.object({
  items: z.array(z.unknown()),
  page: z.int().catch(1),
  totalPages: z.int().catch(1),
});

/**
 * What UpSnap answers to `GET /api/collections/devices/records?perPage=500&expand=ports,groups`: the whole list, its items
 * alone, or one record.
 *
 * Groups become tags, and ports are watched. Commands stay where they are: they may hold passwords.
 *
 * @see https://github.com/seriousm4x/UpSnap, collections `devices`, `ports` and `device_groups`
 */
export function readUpsnap(whole: string): Reading {
  const parsed = jsonOf(whole);
  if ("problem" in parsed) return { found: [parsed], notes: [] };
  const list = RecordList.safeParse(parsed.json).data;
  const all = list?.items ?? (Array.isArray(parsed.json) ? parsed.json : [parsed.json]);
  const items = all.slice(0, MAX_IMPORTED_DEVICES + 1); // for the line of each the text is searched
  const lineOf = linesIn(whole);
  const found = items.map((item) => deviceOf(item, lineOf(item)));
  const notes: string[] = [];
  if (list && list.totalPages > 1)
    notes.push(`This is page ${list.page} of ${list.totalPages}; ask UpSnap with ?perPage=500 for all of it.`);
  if (items.some((item) => isUnexpanded(item)))
    notes.push("Ports and groups stand here by their ids alone; ask UpSnap with ?expand=ports,groups for them.");
  return { found, notes };
}

function deviceOf(item: unknown, line: number): RawDevice | Unusable {
  const record = Record.safeParse(item).data;
  if (!record) return { line, mac: null, name: null, problem: "This is no record of a device of UpSnap." };
  const { name, ip, mac, netmask, description, expand } = record;
  const notes = notesOf(record);
  const ports = expand.ports.map(({ number }) => number).filter((number) => number > 0);
  const tags = expand.groups.map((group) => group.name.trim()).filter((tag) => tag !== "");
  const broadcast = broadcastOf(ip, netmask);
  return {
    line,
    fields: {
      mac,
      name: name || undefined,
      address: ip || undefined,
      tags: tags.length > 0 ? tags : undefined,
      "wake.addresses": broadcast && [broadcast],
      "watch.tcpPorts": ports.length > 0 ? ports : undefined,
    },
    suggested: { name, description: [description, ...notes].filter(Boolean).join("\n") },
    notes,
  };
}

function notesOf({ wake_cron, wake_cron_enabled, shutdown_cron, shutdown_cron_enabled, ...record }: Record): string[] {
  return [
    ...(wake_cron_enabled && wake_cron ? [`UpSnap woke it at “${clipped(wake_cron, 60)}”.`] : []),
    ...(shutdown_cron_enabled && shutdown_cron ? [`UpSnap shut it down at “${clipped(shutdown_cron, 60)}”.`] : []),
    ...(record.shutdown_cmd ? ["UpSnap shut it down by a command of its own, which stays there."] : []),
    ...(record.password ? ["UpSnap keeps a SecureOn password for it, which stays there."] : []),
  ];
}

function isUnexpanded(item: unknown): boolean {
  const record = Record.safeParse(item).data;
  if (!record) return false;
  const { ports, groups, expand } = record;
  return (ports.length > 0 && expand.ports.length === 0) || (groups.length > 0 && expand.groups.length === 0);
}

/** Where UpSnap sends: the broadcast address of the network that the device is in. */
function broadcastOf(ip: string, netmask: string): string | undefined {
  if (!isIPv4(ip) || !isIPv4(netmask)) return undefined;
  const [address, mask] = [numberOf(ip), numberOf(netmask)];
  const hosts = ~mask >>> 0;
  if (mask === 0 || hosts < 3 || (hosts & (hosts + 1)) !== 0) return undefined; // no mask, or a network without one
  return [24, 16, 8, 0].map((shift) => (((address | hosts) >>> shift) & 255).toString()).join(".");
}

function numberOf(ip: string): number {
  return ip.split(".").reduce((number, octet) => number * 256 + Number(octet), 0) >>> 0;
}

function jsonOf(whole: string): { readonly json: unknown } | Unusable {
  try {
    return { json: JSON.parse(whole.replace(/^\uFEFF/, "")) };
  } catch (error) {
    const { message } = error as Error; // JSON.parse throws nothing else
    const line = Number(/\(line (\d+)/.exec(message)?.[1] ?? 1);
    return { line, mac: null, name: null, problem: `This is no JSON: ${clipped(message, 200)}` };
  }
}

/** JSON.parse tells no lines: each record is looked for by its MAC address, behind the one before. */
function linesIn(whole: string): (item: unknown) => number {
  let [line, at] = [1, 0];
  return (item) => {
    const mac = Record.safeParse(item).data?.mac;
    const next = mac ? whole.indexOf(JSON.stringify(mac), at) : -1;
    if (next >= 0) {
      line += whole.slice(at, next).split("\n").length - 1;
      at = next;
    }
    return line;
  };
}
