import { isIPv4 } from "node:net";
import { type ExportFormat, IMPORT_FIELDS, type ImportField } from "#contracts/api/imports.ts";
import { type AllFields, textOf } from "./fields.rules.ts";

/**
 * The devices of a site in the words of others. No password is in any of them.
 *
 * CSV loses nothing but owners, sharing and passwords: imported again, it changes nothing.
 *
 * @param columns what CSV is to have.
 */
export function exported(format: ExportFormat, devices: readonly AllFields[], columns: readonly ImportField[]): string {
  switch (format) {
    case "csv":
      return asCsv(devices, columns);
    case "home-assistant":
      return asHomeAssistant(devices);
    case "upsnap":
      return asUpsnap(devices);
    case "ethers":
      return asEthers(devices);
  }
}

/** Whoever may not see agents gets no column for them: imported again, an empty one would take them away. */
export function columnsFor({ seesAgents }: { readonly seesAgents: boolean }): ImportField[] {
  return IMPORT_FIELDS.filter((field) => field !== "agents" || seesAgents);
}

/** RFC 4180; the first line names the columns. */
function asCsv(devices: readonly AllFields[], columns: readonly ImportField[]): string {
  const rows = devices.map((device) => columns.map((column) => textOf(device[column]) ?? ""));
  return [columns, ...rows].map((cells) => `${cells.map(cellOf).join(",")}\r\n`).join("");
}

/** Text that a spreadsheet would take for a formula gets an apostrophe before it. The import takes just this one away. */
function cellOf(text: string): string {
  const guarded = text.replace(/^(?='*[=+\-@\t\r\n])/, "'");
  return /[",;\t\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

/** @see https://www.home-assistant.io/integrations/wake_on_lan/ */
function asHomeAssistant(devices: readonly AllFields[]): string {
  const entries = devices.map((device) => {
    const [broadcast] = device["wake.addresses"];
    const [port] = device["wake.ports"];
    return [
      "  - platform: wake_on_lan",
      `    name: ${quoted(device.name)}`,
      `    mac: ${quoted(device.mac)}`,
      ...(device.address === null ? [] : [`    host: ${quoted(device.address)}`]),
      ...(broadcast === undefined ? [] : [`    broadcast_address: ${quoted(broadcast)}`]),
      ...(port === undefined || port === 9 ? [] : [`    broadcast_port: ${port}`]),
    ].join("\n");
  });
  return entries.length === 0 ? "switch: []\n" : `switch:\n${entries.join("\n")}\n`;
}

/** JSON's strings are YAML's, too. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

/** As UpSnap answers with its own: a list of PocketBase, ports and groups expanded. */
function asUpsnap(devices: readonly AllFields[]): string {
  const items = devices.map((device) => ({
    name: device.name,
    mac: device.mac,
    ip: device.address ?? "",
    netmask: netmaskOf(device),
    description: device.description ?? "",
    expand: {
      ports: device["watch.tcpPorts"].map((number) => ({ name: String(number), number })),
      groups: device.tags.map((name) => ({ name })),
    },
  }));
  const list = { page: 1, perPage: items.length, totalItems: items.length, totalPages: 1, items };
  return `${JSON.stringify(list, null, 2)}\n`;
}

const USUAL_NETMASK = "255.255.255.0";

/** The one by which UpSnap sends where the device says; without such, the one that UpSnap itself begins with. */
function netmaskOf({ address, "wake.addresses": [broadcast] }: AllFields): string {
  if (address === null || broadcast === undefined || !isIPv4(address) || !isIPv4(broadcast)) return USUAL_NETMASK;
  const [ip, all] = [numberOf(address), numberOf(broadcast)];
  for (let bits = 30; bits >= 8; bits--) {
    const hosts = 2 ** (32 - bits) - 1;
    if ((ip | hosts) >>> 0 === all) return dotted(~hosts >>> 0);
  }
  return USUAL_NETMASK;
}

function numberOf(ip: string): number {
  return ip.split(".").reduce((number, octet) => number * 256 + Number(octet), 0);
}

function dotted(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");
}

/** @see ethers(5) */
function asEthers(devices: readonly AllFields[]): string {
  return devices.map(({ mac, address, key }) => `${mac} ${address ?? key}\n`).join("");
}
