import { topics } from "#contracts/topics.ts";
import { type PowerRequest, parsePowerRequest } from "#contracts/wake.ts";
import type { Sender } from "../kernel/link.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import { type RequestDoor, type RequestDoors, refuseRetained, requestDoor } from "../wake/request-door.ts";
import { wakeFor } from "../wake/wake.messages.ts";
import type { WakeService } from "../wake/wake.service.ts";
import type { PowerOffService } from "./power-off.service.ts";

export interface PowerMessages {
  readonly directory: Directory;
  readonly wakes: WakeService;
  readonly powerOffs: PowerOffService;
  readonly doors: RequestDoors;
}

/** Power requests by MQTT, for one device and for whole clusters: on, off, and the ways of going down. */
export function listenToPowerRequests({ directory, wakes, powerOffs, doors }: PowerMessages) {
  const { link } = doors;

  link.on(topics.deviceSet, (message) => {
    const { key } = message;
    const device = directory.devices.byKey(key);
    const named = { cluster: device ? directory.clusterOf(device).key : null, device: key };
    const door = requestDoor(doors, message, topics.deviceResult.for(key), named);
    const request = door.open(parsePowerRequest(message.payload.toString("utf8")));
    if (!request) return;
    if (!device) return door.refuse("UNKNOWN_DEVICE", `There is no device "${key}"`);
    carryOut([device], request, door);
  });

  link.on(topics.clusterSet, (message) => {
    const { key } = message;
    const named = { cluster: key, device: null };
    const door = requestDoor(doors, message, topics.clusterWakeResult.for(key), named);
    const request = door.open(parsePowerRequest(message.payload.toString("utf8")));
    if (!request) return;
    const cluster = directory.clusters.byKey(key);
    if (!cluster) return door.refuse("UNKNOWN_CLUSTER", `There is no cluster "${key}"`);
    const enabled = directory.devicesOf(cluster.id).filter((device) => device.enabled);
    if (enabled.length === 0) return door.refuse("CLUSTER_EMPTY", "This cluster has no enabled device");
    carryOut(enabled, request, door);
  });

  function carryOut(devices: readonly DirectoryDevice[], request: PowerRequest, door: RequestDoor): void {
    const { action, transaction, force } = request;
    if (action === "wake") return wakeFor(wakes, door.allowed(devices, "wake"), request, door);
    const allowed = door.allowed(devices, "power");
    if (allowed.length === 0) return;
    const parts = powerOffs.request(allowed, action, door.asker(transaction), { force });
    for (const part of parts) if (part.type === "refused") door.refuse(part.code, part.reason, part.device);
  }

  return {
    /** Answers a retained request that the broker did not let through. Returns false when the topic is none of these. */
    refuseRetained: (topic: string, sender: Sender): boolean => {
      const device = topics.deviceSet.match(topic);
      const cluster = topics.clusterSet.match(topic);
      if (device !== undefined) {
        const named = { cluster: null, device };
        refuseRetained(doors, sender, { topic, key: device, resultTopic: topics.deviceResult.for(device), named });
      } else if (cluster !== undefined) {
        const named = { cluster, device: null };
        const resultTopic = topics.clusterWakeResult.for(cluster);
        refuseRetained(doors, sender, { topic, key: cluster, resultTopic, named });
      }
      return device !== undefined || cluster !== undefined;
    },
  };
}
