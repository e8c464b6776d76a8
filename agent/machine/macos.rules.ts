import { MacAddress } from "#contracts/mac-address.ts";
import type { CardFacts } from "./host-facts.ts";

/** Reads `networksetup -listallhardwareports`: each port with its device and its MAC address. */
export function parseHardwarePorts(text: string): Pick<CardFacts, "name" | "mac" | "kind">[] {
  const ports = text.matchAll(/^Hardware Port: (.+)\nDevice: (\S+)\nEthernet Address: (\S+)/gm);
  return [...ports].map(([, port = "", name = "", mac]) => ({
    name,
    mac: MacAddress.safeParse(mac).data ?? null,
    kind: kindOf(port),
  }));
}

function kindOf(port: string): CardFacts["kind"] {
  if (/wi-?fi|airport/i.test(port)) return "wifi";
  if (/ethernet|\blan\b/i.test(port)) return "ethernet";
  return /bridge/i.test(port) ? "virtual" : "other";
}

/** Reads `ifconfig -a`: the interfaces that say whether their cable is in. */
export function parseIfconfig(text: string): ReadonlyMap<string, boolean> {
  const blocks = text.split(/^(?=\S)/m);
  return new Map(
    blocks.flatMap((block): [string, boolean][] => {
      const name = /^(\S+?):/.exec(block)?.[1];
      const status = /^\s+status: (active|inactive)\s*$/m.exec(block)?.[1];
      return name && status ? [[name, status === "active"]] : [];
    }),
  );
}

/**
 * Reads `pmset -g custom`: whether a magic packet wakes the machine while it is on mains.
 *
 * @see pmset(1), `womp`
 */
export function parseWomp(text: string): boolean | null {
  const mains = /^AC Power:\n((?:[ \t].*(?:\n|$))*)/m.exec(text)?.[1] ?? text;
  const womp = /^\s*womp\s+([01])\b/m.exec(mains)?.[1];
  return womp === undefined ? null : womp === "1";
}
