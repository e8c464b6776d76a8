import { type Actor, type Permission, mayPower, mayWake, reachFor } from "#contracts/permissions.ts";
import type { IntegrationPrincipal, MqttPermission } from "#contracts/principal.ts";
import type { Directory, DirectoryCluster, DirectoryDevice } from "../members/directory.ts";

/** Who asks, as far as the broker tells. */
export type Requester =
  | ({ readonly type: "integration" } & Pick<IntegrationPrincipal, "siteId" | "permissions" | "clusters">)
  | { readonly type: "person"; readonly siteId: string; readonly actor: Actor }
  /** Somebody on a broker that does not tell: its own rules say who may ask. */
  | { readonly type: "anyone" }
  /** A credential that was taken back while its request was under way. */
  | { readonly type: "nobody" };

/** What an asker may see and do. */
export interface Rights {
  may(permission: MqttPermission): boolean;
  /** Whether a thing of this cluster is there at all for the asker. */
  reaches(cluster: DirectoryCluster): boolean;
  sees(kind: "cluster" | "agent" | "device"): boolean;
  /** Whether a device within reach may be woken. */
  readonly mayWake: (device: DirectoryDevice, cluster: DirectoryCluster) => boolean;
  /** The same for powering it off. */
  readonly mayPower: (device: DirectoryDevice, cluster: DirectoryCluster) => boolean;
}

/** What persons need for what integrations are given by another name. */
const PERSONS_NEED: Readonly<Record<MqttPermission, Permission>> = {
  read: "device:read",
  wake: "device:wake",
  power: "device:power",
  discovery: "mqtt-client:manage",
};

/** The rights of integrations are their permissions and clusters, those of persons are what they may over HTTP. */
export function rightsOf(requester: Requester): Rights {
  switch (requester.type) {
    case "anyone":
      return { may: always, reaches: always, sees: always, mayWake: always, mayPower: always };
    case "nobody":
      return { may: never, reaches: never, sees: never, mayWake: never, mayPower: never };
    case "integration": {
      const { siteId, permissions, clusters } = requester;
      return {
        may: (permission) => permissions.has(permission),
        reaches: (cluster) => cluster.siteId === siteId && (clusters === null || clusters.has(cluster.key)),
        sees: () => permissions.has("read"),
        mayWake: always, // the verb needs the permission
        mayPower: always,
      };
    }
    case "person": {
      const { siteId, actor } = requester;
      const may = (permission: Permission) => reachFor(actor, permission) !== undefined;
      return {
        may: (permission) => may(PERSONS_NEED[permission]),
        reaches: (cluster) => cluster.siteId === siteId,
        sees: (kind) => may(`${kind}:read`),
        mayWake: (device, cluster) => mayWake(actor, device, cluster),
        mayPower: (device, cluster) => mayPower(actor, device, cluster),
      };
    }
  }
}

/** Which devices somebody may do this to. */
export function actsOf(
  rights: Rights,
  directory: Directory,
  act: "wake" | "power",
): (device: DirectoryDevice) => boolean {
  if (!rights.may(act)) return never;
  const may = act === "wake" ? rights.mayWake : rights.mayPower;
  return (device) => {
    const cluster = directory.clusterOf(device);
    return rights.reaches(cluster) && may(device, cluster);
  };
}

function always(): boolean {
  return true;
}

function never(): boolean {
  return false;
}
