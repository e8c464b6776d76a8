import { randomUUID } from "node:crypto";
import { MAX_SIGNED_BYTES, MAX_TARGETS_PER_ORDER, ORDER_LIFETIME_MS } from "#contracts/limits.ts";
import type { PacketReach, WakeOrder, WakeTarget } from "#contracts/order.ts";
import { PacketAddress } from "#contracts/address.ts";
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
  /** Where to, unless the device says so itself; without it every broadcast address. */
  readonly reach?: readonly PacketReach[] | undefined;
  readonly interfaces?: readonly string[] | undefined;
}

/** The claims of the orders that wake these devices of one cluster: at most 200 targets each, and as many as fit into a packet. */
export function wakeOrders(
  clusterKey: string,
  aims: readonly WakeAim[],
  now: Date,
): { order: WakeOrder; aims: readonly WakeAim[] }[] {
  const iat = now.getTime() / 1_000;
  return portions(aims.map((aim) => ({ aim, target: targetOf(aim) }))).map((part) => ({
    order: {
      type: "wake",
      aud: topics.clusterWake.for(clusterKey),
      id: randomUUID(),
      iat,
      exp: iat + ORDER_LIFETIME_MS / 1_000,
      targets: part.map(({ target }) => target),
      burst: BURST,
    },
    aims: part.map(({ aim }) => aim),
  }));
}

interface AimedTarget {
  readonly aim: WakeAim;
  readonly target: WakeTarget;
}

function portions(targets: readonly AimedTarget[]): AimedTarget[][] {
  const parts: AimedTarget[][] = [];
  let part: AimedTarget[] = [];
  let left = 0;
  for (const one of targets) {
    const bytes = JSON.stringify(one.target).length + 1;
    if (part.length === MAX_TARGETS_PER_ORDER || bytes > left) {
      parts.push((part = []));
      left = MAX_SIGNED_BYTES - 1_024; // for the other claims
    }
    part.push(one);
    left -= bytes;
  }
  return parts;
}

function targetOf({ device, agents, wholeCluster, reach, interfaces }: WakeAim): WakeTarget {
  const own = ownAddress(device);
  const able = reach?.filter((kind) => kind !== "unicast" || own !== null) ?? [];
  const chosen = device.wake.addresses.length === 0 && able.length > 0 ? able : undefined;
  return {
    device: Key.parse(device.key),
    mac: MacAddress.parse(device.mac),
    secureOn: device.secureOn === null ? null : SecureOnPassword.parse(device.secureOn),
    agents: wholeCluster ? [] : agents.map((agent) => Key.parse(agent.key)),
    addresses: [...device.wake.addresses],
    ports: [...device.wake.ports],
    ...(chosen && { reach: chosen }),
    ...(chosen?.includes("unicast") && { unicast: own }),
    ...(chosen && interfaces && { interfaces: [...interfaces] }),
  };
}

/** Where a packet to the device alone goes; a host name would first have to be looked up. */
function ownAddress({ address }: DirectoryDevice): string | null {
  return PacketAddress.safeParse(address).data ?? null;
}
