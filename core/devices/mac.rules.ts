import { type Actor, mayChange, reachFor } from "#contracts/permissions.ts";
import { HubError } from "../kernel/errors.ts";
import type { Directory } from "../members/directory.ts";

/**
 * Whoever powers a device off takes down the machine whose agent has its MAC address. So an address that an agent has is for those
 * to enter who manage agents, or whose cluster the agent serves; else everybody could make a device of their own out of a machine
 * of somebody else.
 *
 * @throws HubError FORBIDDEN (mac)
 */
export function checkMac(actor: Actor, directory: Directory, { siteId, mac }: { siteId: string; mac: string }): void {
  const agent = directory.agentByMac(siteId, mac);
  if (!agent || reachFor(actor, "agent:manage") !== undefined) return;
  if (mayChange(actor, "cluster:change", directory.clusterOf(agent))) return;
  throw new HubError(
    "FORBIDDEN",
    "An agent runs on the machine with this MAC address; who manages agents may enter it",
    {
      field: "mac",
    },
  );
}
