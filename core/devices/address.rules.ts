import { isIP } from "node:net";
import type { DeviceChange } from "#contracts/api/devices.ts";
import { type Actor, reachFor } from "#contracts/permissions.ts";
import { HubError } from "../kernel/errors.ts";
import { whyForbidden } from "../kernel/forbidden-address.ts";

/**
 * Agents send and look where a device says. Only who may change every device names their own machines, their link or the
 * services of a cloud; others could look around there by what is seen on and off.
 *
 * @throws HubError FORBIDDEN (address, wake.addresses)
 */
export function checkAddresses(actor: Actor, { address, wake }: Pick<DeviceChange, "address" | "wake">): void {
  if (reachFor(actor, "device:change") === "any") return;
  const check = (target: string, field: string) => {
    const host = asProgramsReadIt(target);
    const why = isIP(host) ? whyForbidden(host) : isLocalName(host) ? "a name of the agent's own machine" : undefined;
    // magic packets go to everybody on a link
    if (why && !(field !== "address" && target === "255.255.255.255"))
      throw new HubError("FORBIDDEN", `Only administrators enter ${why}`, { field });
  };
  if (address) check(address, "address");
  for (const [index, target] of (wake?.addresses ?? []).entries()) check(target, `wake.addresses.${index}`);
}

/** `0x7f.1` and `2130706433` are 127.0.0.1 to whoever connects. WHATWG URL, IPv4 parser */
function asProgramsReadIt(target: string): string {
  const url = URL.parse(`http://${isIP(target) === 6 ? `[${target}]` : target}`);
  return url ? url.hostname.replaceAll(/[[\]]/g, "") : target;
}

function isLocalName(name: string): boolean {
  return /^(?:.*\.)?localhost\.?$|^metadata(?:\.google\.internal)?\.?$/i.test(name);
}
