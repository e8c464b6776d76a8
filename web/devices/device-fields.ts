import type { DeviceAnswer } from "#contracts/api/devices.ts";
import { NEW_POWER, powerFrom } from "./device-power-fields.ts";
import { checkedOf, isChecked, listOf, numberOrNull, numbersOf, tagsOf, textOf, textOrNull } from "../form/values.ts";

/** What may be changed of a device, in the shape that the hub takes. */
export type DeviceFields = Pick<
  DeviceAnswer,
  | "name"
  | "address"
  | "os"
  | "clusterId"
  | "agentIds"
  | "enabled"
  | "showInHomeAssistant"
  | "description"
  | "tags"
  | "wake"
  | "watch"
> & { readonly mac: string; readonly power: DeviceAnswer["powerSettings"] };

/** What is proposed for a new device. */
export const NEW_DEVICE: DeviceFields = {
  name: "",
  mac: "",
  address: null,
  os: "other",
  clusterId: null,
  agentIds: [],
  enabled: true,
  showInHomeAssistant: true,
  description: null,
  tags: [],
  wake: { addresses: [], ports: [9, 7], windowSeconds: null },
  watch: { icmp: true, arp: true, tcpPorts: [], intervalSeconds: 15 },
  power: NEW_POWER,
};

/** As a form shows it. */
export function fieldsOf(device: DeviceAnswer): DeviceFields {
  const { name, mac, address, os, clusterId, enabled, showInHomeAssistant, description, tags, wake, watch } = device;
  const agentIds = device.agentIds.toSorted();
  const texts = { name, mac, address, os, clusterId, agentIds, enabled, showInHomeAssistant, description, tags };
  return { ...texts, wake, watch, power: device.powerSettings };
}

/**
 * As somebody typed it. What is no number goes to the hub as it is, and comes back with a message at its field.
 *
 * @param before for what was not shown.
 */
export function fieldsFrom(data: FormData, before: DeviceFields): DeviceFields {
  return {
    name: textOf(data, "name"),
    mac: textOf(data, "mac"),
    address: textOrNull(data, "address"),
    os: textOf(data, "os") as DeviceFields["os"],
    clusterId: textOrNull(data, "clusterId"),
    agentIds: checkedOf(data, "agentIds"),
    enabled: isChecked(data, "enabled"),
    showInHomeAssistant: isChecked(data, "showInHomeAssistant"),
    description: textOrNull(data, "description"),
    tags: tagsOf(data, "tags"),
    wake: {
      addresses: listOf(data, "wake.addresses"),
      ports: numbersOf(data, "wake.ports"),
      windowSeconds: numberOrNull(data, "wake.windowSeconds"),
    },
    watch: {
      icmp: isChecked(data, "watch.icmp"),
      arp: isChecked(data, "watch.arp"),
      tcpPorts: numbersOf(data, "watch.tcpPorts"),
      intervalSeconds: numberOrNull(data, "watch.intervalSeconds") ?? 15,
    },
    power: powerFrom(data, before.power),
  };
}

/** A password that is kept is never shown, so an empty field means: as it was. */
export function secureOnFrom(data: FormData): { secureOn?: string | null } {
  if (isChecked(data, "secureOnForget")) return { secureOn: null };
  const typed = textOf(data, "secureOn");
  return typed === "" ? {} : { secureOn: typed };
}
