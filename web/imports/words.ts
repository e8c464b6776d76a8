import type { ExportFormat, ImportField, ImportFormat, ImportItem, ImportOutcome } from "#contracts/api/imports.ts";

export const IMPORT_FORMATS: readonly { readonly value: ImportFormat; readonly label: string }[] = [
  { value: "csv", label: "CSV" },
  { value: "home-assistant", label: "Home Assistant (YAML)" },
  { value: "upsnap", label: "UpSnap (JSON)" },
  { value: "ethers", label: "/etc/ethers" },
  { value: "dnsmasq", label: "dnsmasq (leases, dhcp-host)" },
  { value: "dhcpd", label: "ISC dhcpd (leases, hosts)" },
];

export const EXPORT_FORMATS: readonly {
  readonly value: ExportFormat;
  readonly label: string;
  readonly hint: string;
  readonly fileName: string;
}[] = [
  {
    value: "csv",
    label: "CSV",
    hint: "Everything but owners, sharing and passwords. It can be changed in a spreadsheet and imported again.",
    fileName: "powerbeacon-devices.csv",
  },
  {
    value: "home-assistant",
    label: "Home Assistant (YAML)",
    hint: "Switches for its integration Wake on LAN.",
    fileName: "powerbeacon-devices.yaml",
  },
  {
    value: "upsnap",
    label: "UpSnap (JSON)",
    hint: "Records of its collection of devices.",
    fileName: "powerbeacon-upsnap.json",
  },
  { value: "ethers", label: "/etc/ethers", hint: "MAC addresses with an address or a name.", fileName: "ethers" },
];

export const FIELD_LABELS: Readonly<Record<ImportField, string>> = {
  name: "Name",
  mac: "MAC address",
  key: "Key",
  address: "Address",
  os: "Operating system",
  enabled: "Enabled",
  showInHomeAssistant: "Shown in Home Assistant",
  description: "Description",
  tags: "Tags",
  cluster: "Cluster",
  agents: "Agents",
  "wake.addresses": "Send to",
  "wake.ports": "UDP ports",
  "wake.windowSeconds": "Give up after (seconds)",
  "watch.icmp": "Ping it",
  "watch.arp": "Look for its MAC address",
  "watch.tcpPorts": "TCP ports",
  "watch.intervalSeconds": "Look every (seconds)",
};

export const OUTCOME_WORDS: Readonly<Record<ImportOutcome, string>> = {
  created: "added",
  changed: "changed",
  unchanged: "was so already",
  conflict: "not done",
  impossible: "not done",
};

/** How a preview is parted, in the order in which it is shown. */
export const GROUPS: readonly { readonly action: ImportItem["action"]; readonly heading: string }[] = [
  { action: "create", heading: "New" },
  { action: "change", heading: "Changes" },
  { action: "impossible", heading: "Not possible" },
  { action: "unchanged", heading: "As they are" },
];

export function counted(count: number, one = "device", many = "devices"): string {
  return `${count} ${count === 1 ? one : many}`;
}
