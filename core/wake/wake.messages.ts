import type { Logger } from "pino";
import { type PowerReceipt, type ProbeReceipt, Receipt } from "#contracts/agent.ts";
import { looksSigned } from "#contracts/signed.ts";
import { topics } from "#contracts/topics.ts";
import { parseWakeRequest, type WakeRequest } from "#contracts/wake.ts";
import type { Sender } from "../kernel/link.ts";
import { parseJson } from "../kernel/parse.ts";
import type { Directory, DirectoryAgent, DirectoryCluster, DirectoryDevice } from "../members/directory.ts";
import { type RequestDoor, type RequestDoors, refuseRetained, requestDoor } from "./request-door.ts";
import type { WakeService } from "./wake.service.ts";

export interface WakeMessages {
  readonly directory: Directory;
  readonly wakes: WakeService;
  readonly doors: RequestDoors;
  /** What an agent did with an order that is none of a wake. */
  readonly onReceipt: (agent: DirectoryAgent, receipt: PowerReceipt | ProbeReceipt) => void;
  readonly log: Logger;
}

/** Somebody who clears a topic must not wake a cluster. */
const CANNOT_TELL = {
  ok: false,
  reason: "with MQTT 3.1.1 an empty request looks like a topic that is cleared; send * instead",
  transaction: null,
} as const;

/** Wake requests by MQTT, and what agents did with the orders that followed. */
export function listenToWakes({ directory, wakes, doors, onReceipt, log }: WakeMessages) {
  const { link } = doors;

  link.on(topics.clusterWake, (message) => {
    if (looksSigned(message.payload)) return; // an order of the hub itself
    const payload = message.payload.toString("utf8");
    const { key } = message;
    const door = requestDoor(doors, message, topics.clusterWakeResult.for(key), { cluster: key, device: null });
    const isCleared = payload === "" && !message.tellsRetained;
    const request = door.open(isCleared ? CANNOT_TELL : parseWakeRequest(payload));
    if (!request) return;
    const cluster = directory.clusters.byKey(key);
    if (!cluster) return door.refuse("UNKNOWN_CLUSTER", `There is no cluster "${key}"`);
    wakeIn(cluster, request, door);
  });

  link.on(topics.agentReceipt, (message) => {
    const agent = directory.agents.byKey(message.key);
    const receipt = Receipt.safeParse(parseJson(message.payload));
    if (!agent || !receipt.success)
      return log.warn({ topic: message.topic, problem: receipt.error?.message }, "a message was dropped");
    if ("targets" in receipt.data) wakes.receipt(agent, receipt.data);
    else onReceipt(agent, receipt.data);
  });

  return {
    /** Answers a retained request that the broker did not let through. Returns false when the topic is none of wakes. */
    refuseRetained: (topic: string, sender: Sender): boolean => {
      const key = topics.clusterWake.match(topic);
      if (key === undefined) return false;
      const resultTopic = topics.clusterWakeResult.for(key);
      refuseRetained(doors, sender, { topic, key, resultTopic, named: { cluster: key, device: null } });
      return true;
    },
  };

  function wakeIn(cluster: DirectoryCluster, request: WakeRequest, door: RequestDoor): void {
    if (request.mac) {
      const device = directory.deviceByMac(cluster.siteId, request.mac);
      if (device?.clusterId !== cluster.id)
        return door.refuse("UNKNOWN_DEVICE", `No device of this cluster has the MAC address ${request.mac}`);
      return wake([device], request, door);
    }
    if (!request.devices) {
      const enabled = directory.devicesOf(cluster.id).filter((device) => device.enabled);
      return enabled.length > 0
        ? wake(enabled, request, door)
        : door.refuse("CLUSTER_EMPTY", "This cluster has no enabled device");
    }
    const found = new Set<DirectoryDevice>();
    for (const key of request.devices) {
      const device = directory.devices.byKey(key);
      if (device?.clusterId === cluster.id) found.add(device);
      else door.refuse("UNKNOWN_DEVICE", `There is no device "${key}" in this cluster`, key);
    }
    if (found.size > 0) wake([...found], request, door);
  }

  function wake(devices: readonly DirectoryDevice[], request: WakeRequest, door: RequestDoor): void {
    wakeFor(wakes, door.allowed(devices, "wake"), request, door);
  }
}

/** Wakes devices for somebody who may; what is refused is answered. */
export function wakeFor(
  wakes: WakeService,
  devices: readonly DirectoryDevice[],
  { transaction, force }: { readonly transaction: string | null; readonly force: boolean },
  door: RequestDoor,
): void {
  if (devices.length === 0) return;
  const parts = wakes.request(devices, door.asker(transaction), { force });
  for (const part of parts) if (part.type === "refused") door.refuse(part.code, part.reason, part.device);
}
