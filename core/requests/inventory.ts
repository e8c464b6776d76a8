import { Key } from "#contracts/key.ts";
import { MAX_PACKET_BYTES } from "#contracts/limits.ts";
import { MacAddress } from "#contracts/mac-address.ts";
import type { Inventory, RequestFields } from "#contracts/request.ts";
import type { Presence } from "../agents/presence.ts";
import { HubError } from "../kernel/errors.ts";
import type { Now } from "../live/now.ts";
import type { Directory, DirectoryAgent, DirectoryCluster, DirectoryDevice } from "../members/directory.ts";
import type { Rights } from "./rights.ts";

export interface InventoryParts {
  readonly directory: Directory;
  readonly presence: Presence;
  readonly now: Now;
}

/** What is left for the topic, the correlation data and the frame of the answer. Bytes. */
const FRAME_BYTES = 8 * 1024;

const KINDS = ["cluster", "agent", "device"] as const;
type Kind = (typeof KINDS)[number];

/**
 * A page of what the asker may see: clusters, then agents, then devices, each by key. A page holds what fits into a packet.
 *
 * @throws HubError UNKNOWN_CLUSTER
 */
export function inventory(
  { directory, presence, now }: InventoryParts,
  { cluster: wanted, ...bounds }: RequestFields<"inventory">,
  rights: Rights,
): Inventory {
  const clusters =
    wanted === undefined ? [...directory.clusters].filter((one) => rights.reaches(one)) : [clusterOf(wanted)];
  const named = clusters.filter(({ unassigned }) => !unassigned);
  const agents = clusters.flatMap(({ id }) => directory.agentsOf(id));
  const devices = clusters.flatMap(({ id }) => directory.devicesOf(id));
  const page = new Page(bounds);
  return {
    clusters: page.take("cluster", rights.sees("cluster") ? named : [], clusterItem),
    agents: page.take("agent", rights.sees("agent") ? agents : [], agentItem),
    devices: page.take("device", rights.sees("device") ? devices : [], deviceItem),
    next: page.next,
  };

  function clusterOf(key: string): DirectoryCluster {
    const cluster = directory.clusters.byKey(key);
    if (cluster && rights.reaches(cluster)) return cluster;
    throw new HubError("UNKNOWN_CLUSTER", `There is no cluster "${key}"`, { field: "cluster" });
  }

  function clusterItem(cluster: DirectoryCluster): Inventory["clusters"][number] {
    return { key: Key.parse(cluster.key), name: cluster.name, ...now.cluster(cluster) };
  }

  function agentItem(agent: DirectoryAgent): Inventory["agents"][number] {
    const { id, name, version, os } = agent;
    const { unassigned, key } = directory.clusterOf(agent);
    const cluster = unassigned ? null : Key.parse(key);
    return {
      key: Key.parse(agent.key),
      name,
      cluster,
      status: presence.isOnline(id) ? "online" : "offline",
      version,
      os,
    };
  }

  function deviceItem(device: DirectoryDevice): Inventory["devices"][number] {
    const [key, mac] = [Key.parse(device.key), MacAddress.parse(device.mac)];
    return { key, mac, availability: now.availability(device), ...now.deviceInfo(device) };
  }
}

/** What fits into one answer, from a cursor on. */
class Page {
  /** The cursor of the page that follows; null while everything fits. */
  next: string | null = null;
  readonly #after: { readonly kind: Kind; readonly key: string };
  #last: string | null = null;
  #count = 0;
  #bytes = MAX_PACKET_BYTES - FRAME_BYTES;
  readonly #limit: number;

  constructor({ cursor, limit }: Pick<RequestFields<"inventory">, "cursor" | "limit">) {
    const [kind = KINDS[0], key = ""] = cursor?.split(":") ?? [];
    this.#after = { kind: kind as Kind, key }; // the contract lets no other one through
    this.#limit = limit ?? Number.POSITIVE_INFINITY;
  }

  /** Those of one kind, in the order of their keys, that belong on this page. Kinds are to be taken in their order. */
  take<Row extends { readonly key: string }, Item>(
    kind: Kind,
    rows: readonly Row[],
    itemOf: (row: Row) => Item,
  ): Item[] {
    const items: Item[] = [];
    if (this.next !== null || KINDS.indexOf(kind) < KINDS.indexOf(this.#after.kind)) return items;
    const from = kind === this.#after.kind ? this.#after.key : "";
    for (const row of rows.filter(({ key }) => key > from).sort((a, b) => (a.key < b.key ? -1 : 1))) {
      const item = itemOf(row);
      this.#bytes -= Buffer.byteLength(JSON.stringify(item)) + 1;
      if (this.#bytes < 0 || this.#count === this.#limit) {
        this.next = this.#last;
        break;
      }
      items.push(item);
      this.#count++;
      this.#last = `${kind}:${row.key}`;
    }
    return items;
  }
}
