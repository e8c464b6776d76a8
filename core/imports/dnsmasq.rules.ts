import { isIP } from "node:net";
import { type RawDevice, type Reading, type Unusable, clipped } from "./found.rules.ts";
import { linesOf, withWholeOctets } from "./lines.rules.ts";

const HOST_LINE = /^\s*(?:--)?dhcp-host\s*=\s*(.*)$/;
const OTHER_SETTING = /^\s*(?:--)?[a-z0-9-]+\s*(?:=|$)/i;
const LEASE_TIME = /^(?:infinite|\d+[smhdw]?)$/i;
/** The type of the hardware before its address: 01 is Ethernet, and mostly left out. */
const ETHERNET = /^(?:0?1-)(?=[0-9a-f]{1,2}[:-])/i;

/**
 * What dnsmasq knows: its leases (`dnsmasq.leases`: end, MAC address, IP address, name or `*`, client id) and the `dhcp-host=`
 * lines of its configuration. Its other settings are passed over.
 *
 * @see dnsmasq(8), --dhcp-host and --dhcp-leasefile
 */
export function readDnsmasq(text: string): Reading {
  const found: (RawDevice | Unusable)[] = [];
  const notes: string[] = [];
  let isIpv6 = false;
  for (const { line, text: whole } of linesOf(text)) {
    const said = whole.replace(/(?:^|\s)#.*/, "").trim();
    const host = HOST_LINE.exec(said)?.[1];
    if (said === "") continue;
    if (/^duid\s/.test(said)) {
      isIpv6 = true;
      notes.push(`From line ${line} on stand leases of IPv6, which name no MAC address.`);
    } else if (host !== undefined) found.push(...fixedHost(line, host));
    else if (OTHER_SETTING.test(said) || isIpv6) continue;
    else found.push(lease(line, said));
  }
  return { found, notes };
}

function lease(line: number, said: string): RawDevice | Unusable {
  const [end = "", mac = "", address = "", name = "*"] = said.split(/\s+/);
  if (!/^\d+$/.test(end) || isIP(address) === 0)
    return {
      line,
      mac: null,
      name: clipped(said, 80),
      problem: "This is neither a lease of dnsmasq nor a dhcp-host line.",
    };
  return {
    line,
    fields: { mac: withWholeOctets(mac.replace(ETHERNET, "")), address },
    suggested: { name: name === "*" ? undefined : name },
  };
}

/** In any order: MAC addresses, `id:…`, `set:…` and `tag:…`, an IP address, a name, how long the lease is, `ignore`. */
function fixedHost(line: number, said: string): (RawDevice | Unusable)[] {
  const words = said.split(",").map((word) => withWholeOctets(word.trim().replace(ETHERNET, "")));
  const macs = words.filter((word) => /^(?:[0-9a-f*]{1,2}[:-]){5}[0-9a-f*]{1,2}$/i.test(word));
  if (words.includes("ignore")) return [];
  if (macs.length === 0)
    return [{ line, mac: null, name: clipped(said, 80), problem: "This dhcp-host line names no MAC address." }];
  const addresses = words.map((word) => word.replaceAll(/[[\]]/g, "")).filter((word) => isIP(word) > 0);
  const name = words.find(
    (word) =>
      /^[a-z0-9_][a-z0-9_.-]*$/i.test(word) && isIP(word) === 0 && !macs.includes(word) && !LEASE_TIME.test(word),
  );
  // without an address of its own it is found by its name
  const address = addresses.find((each) => isIP(each) === 4) ?? addresses[0] ?? name;
  return macs.map((mac) => ({ line, fields: { mac, address }, suggested: { name } }));
}
