import { type RawDevice, type Reading, type Unusable, clipped } from "./found.rules.ts";
import { linesOf, withWholeOctets } from "./lines.rules.ts";

/**
 * `/etc/ethers`: on each line a MAC address, then the name or the IP address of its machine. What stands behind `#` is a
 * remark.
 *
 * @see ethers(5)
 */
export function readEthers(text: string): Reading {
  const found = linesOf(text).flatMap(({ line, text: whole }): (RawDevice | Unusable)[] => {
    const said = whole.replace(/#.*/, "").trim();
    if (said === "") return [];
    const [mac = "", host, ...rest] = said.split(/\s+/);
    if (host === undefined || rest.length > 0)
      return [
        {
          line,
          mac: null,
          name: clipped(said, 80),
          problem: "This is no MAC address with one name or IP address behind it.",
        },
      ];
    return [machineAt(line, mac, host)];
  });
  return { found, notes: [] };
}

function machineAt(line: number, mac: string, host: string): RawDevice {
  return { line, fields: { mac: withWholeOctets(mac), address: host }, suggested: { name: host } };
}
