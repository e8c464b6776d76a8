import { randomUUID } from "node:crypto";
import { MAX_TARGETS_PER_ORDER, ORDER_LIFETIME_MS } from "#contracts/limits.ts";
import type { WakeOrder, WakeTarget } from "#contracts/order.ts";
import { topics } from "#contracts/topics.ts";
import { SecureOnPassword, MacAddress } from "#contracts/mac-address.ts";
import { Key } from "#contracts/key.ts";
import type { DirectoryAgent, DirectoryDevice } from "../members/directory.ts";

/** Three packets a tenth of a second apart: a single one is lost too easily. */
const BURST = { packets: 3, spacingMs: 100 } as const;

export interface WakeAim {
  readonly device: DirectoryDevice;
  readonly agents: readonly DirectoryAgent[];
  /** Whether these are all agents of the cluster that are online: then the order names nobody, and late ones send too. */
  readonly wholeCluster: boolean;
}

/** The claims of the orders that wake these devices of one cluster, at most 200 targets each. */
export function wakeOrders(
  clusterKey: string,
  aims: readonly WakeAim[],
  now: Date,
): { order: WakeOrder; aims: readonly WakeAim[] }[] {
  const iat = now.getTime() / 1_000;
  const orders = [];
  for (let start = 0; start < aims.length; start += MAX_TARGETS_PER_ORDER) {
    const part = aims.slice(start, start + MAX_TARGETS_PER_ORDER);
    const order: WakeOrder = {
      type: "wake",
      aud: topics.clusterWake.for(clusterKey),
      id: randomUUID(),
      iat,
      exp: iat + ORDER_LIFETIME_MS / 1_000,
      targets: part.map(targetOf),
      burst: BURST,
    };
    orders.push({ order, aims: part });
  }
  return orders;
}

function targetOf({ device, agents, wholeCluster }: WakeAim): WakeTarget {
  return {
    device: Key.parse(device.key),
    mac: MacAddress.parse(device.mac),
    secureOn: device.secureOn === null ? null : SecureOnPassword.parse(device.secureOn),
    agents: wholeCluster ? [] : agents.map((agent) => Key.parse(agent.key)),
    addresses: [...device.wake.addresses],
    ports: [...device.wake.ports],
  };
}
