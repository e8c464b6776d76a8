import type { Logger } from "pino";
import { Receipt } from "#contracts/agent.ts";
import { Key } from "#contracts/key.ts";
import { PERSON_MARK } from "#contracts/principal.ts";
import { looksSigned } from "#contracts/signed.ts";
import { topics } from "#contracts/topics.ts";
import {
  type ParsedRequest,
  type PowerRequest,
  parsePowerRequest,
  parseWakeRequest,
  type WakeRequest,
} from "#contracts/wake.ts";
import { NO_TRANSACTION, answerAddressOf, transactionOf, whyNotAllowed } from "../kernel/answer.ts";
import type { ErrorCode } from "../kernel/errors.ts";
import type { Link, LinkMessage, Sender } from "../kernel/link.ts";
import { parseJson } from "../kernel/parse.ts";
import type { Trail } from "../kernel/trail.ts";
import type { Directory, DirectoryCluster, DirectoryDevice } from "../members/directory.ts";
import type { Asker } from "./running-wake.ts";
import type { WakeResults } from "./wake-results.ts";
import type { WakeService } from "./wake.service.ts";

export interface WakeMessages {
  readonly link: Link;
  readonly directory: Directory;
  readonly wakes: WakeService;
  readonly results: WakeResults;
  /** Which devices a token may wake now; the broker has only asked whether there are any. Other clients wake whole clusters. */
  readonly mayWakeOf: (tokenId: string) => (device: DirectoryDevice) => boolean;
  /** The audit log under the name of an MQTT client. */
  readonly trailOf: (sender: Sender) => Trail;
  /** A request was refused; reported besides the answer to the asker. */
  readonly onRefused: (refusal: {
    siteId: string | null;
    by: string;
    cluster: string | null;
    device: string | null;
    transaction: string | null;
    reason: string;
  }) => void;
  readonly log: Logger;
}

const NEVER_RETAINED = "Requests are never retained";

/** Somebody who clears a topic must not wake a cluster. */
const CANNOT_TELL = {
  ok: false,
  reason: "with MQTT 3.1.1 an empty request looks like a topic that is cleared; send * instead",
  transaction: null,
} as const;

/** Requests by MQTT, and what agents did with the orders that followed. */
export function listenToWakes({ link, directory, wakes, results, mayWakeOf, trailOf, onRefused, log }: WakeMessages) {
  link.on(topics.clusterWake, (message) => {
    if (looksSigned(message.payload)) return; // an order of the hub itself
    const payload = message.payload.toString("utf8");
    const door = doorOf(message, topics.clusterWakeResult.for(message.key), { cluster: message.key, device: null });
    const isCleared = payload === "" && !message.tellsRetained;
    const request = door.open(isCleared ? CANNOT_TELL : parseWakeRequest(payload));
    const cluster = request && clusterOf(message.key, door);
    if (request && cluster) wakeIn(cluster, request, door);
  });

  link.on(topics.clusterSet, (message) => {
    const door = doorOf(message, topics.clusterWakeResult.for(message.key), { cluster: message.key, device: null });
    const request = door.open(parsePowerRequest(message.payload.toString("utf8")));
    const cluster = request && clusterOf(message.key, door);
    if (!request || !cluster) return;
    if (request.action !== "wake") return door.refuse("NOT_SUPPORTED", notSupported(request));
    wakeIn(cluster, { devices: null, mac: null, transaction: request.transaction, force: request.force }, door);
  });

  link.on(topics.deviceSet, (message) => {
    const device = directory.devices.byKey(message.key);
    const named = { cluster: device ? directory.clusterOf(device).key : null, device: message.key };
    const door = doorOf(message, topics.deviceResult.for(message.key), named);
    const request = door.open(parsePowerRequest(message.payload.toString("utf8")));
    if (!request) return;
    if (!device) return door.refuse("UNKNOWN_DEVICE", `There is no device "${message.key}"`);
    if (request.action !== "wake") return door.refuse("NOT_SUPPORTED", notSupported(request));
    wake([device], request, door);
  });

  link.on(topics.agentReceipt, (message) => {
    const agent = directory.agents.byKey(message.key);
    const receipt = Receipt.safeParse(parseJson(message.payload));
    if (!agent || !receipt.success)
      return log.warn({ topic: message.topic, problem: receipt.error?.message }, "a message was dropped");
    if ("targets" in receipt.data) wakes.receipt(agent, receipt.data);
  });

  return {
    /** Answers a retained request that the broker did not let through. Returns false when the topic is none of requests. */
    refuseRetained: (topic: string, sender: Sender): boolean => {
      const commands = [
        { command: topics.clusterWake, result: topics.clusterWakeResult, names: "cluster" },
        { command: topics.clusterSet, result: topics.clusterWakeResult, names: "cluster" },
        { command: topics.deviceSet, result: topics.deviceResult, names: "device" },
      ] as const;
      for (const { command, result, names } of commands) {
        const key = command.match(topic);
        if (key === undefined) continue;
        const message = {
          topic,
          key,
          payload: Buffer.alloc(0),
          retained: true,
          tellsRetained: true,
          ...sender,
          responseTopic: undefined,
          correlationData: undefined,
          userProperties: undefined,
        };
        doorOf(message, result.for(key), { cluster: null, device: null, [names]: key }).refuse(
          "RETAINED_COMMAND",
          NEVER_RETAINED,
        );
        return true;
      }
      return false;
    },
  };

  function clusterOf(key: string, door: Door): DirectoryCluster | undefined {
    const cluster = directory.clusters.byKey(key);
    if (!cluster) door.refuse("UNKNOWN_CLUSTER", `There is no cluster "${key}"`);
    return cluster;
  }

  function wakeIn(cluster: DirectoryCluster, request: WakeRequest, door: Door): void {
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

  function wake(
    devices: readonly DirectoryDevice[],
    request: { transaction: string | null; force: boolean },
    door: Door,
  ): void {
    const mayWake = door.rights();
    const { allowed = [], forbidden = [] } = Object.groupBy(devices, (device) =>
      mayWake(device) ? "allowed" : "forbidden",
    );
    const asker = door.asker(request.transaction);
    const parts = allowed.length > 0 ? wakes.request(allowed, asker, { force: request.force }) : [];
    for (const part of parts) if (part.type === "refused") door.refuse(part.code, part.reason, part.device);
    for (const { key } of forbidden) door.refuse("FORBIDDEN", "You may not wake this device", key);
  }

  interface Door {
    /** The parsed request, or undefined after it was answered why not. */
    open<Request extends { transaction: string | null }>(parsed: ParsedRequest<Request>): Request | undefined;
    asker(transaction: string | null): Asker;
    rights(): (device: DirectoryDevice) => boolean;
    refuse(code: ErrorCode, reason: string, device?: string): void;
  }

  function doorOf(
    message: LinkMessage,
    resultTopic: string,
    named: { cluster: string | null; device: string | null },
  ): Door {
    let transaction: string | null = null;
    const response = answerAddressOf(link, message);
    const { siteId, tokenId } = message;
    const by = tokenId === null ? message.by : message.by.slice(PERSON_MARK.length);
    const asker = (transaction: string | null): Asker => ({
      by,
      door: tokenId === null ? "mqtt" : "mqtt-person",
      transaction,
      response: response === "not-allowed" ? null : response,
      trail: trailOf(message),
    });

    function refuse(code: ErrorCode, reason: string, device: string | null = named.device): undefined {
      const key = Key.safeParse(device);
      const refusal = {
        transaction,
        device: key.success ? key.data : null,
        stage: "refused" as const,
        at: new Date().toISOString(),
        code,
        reason,
      };
      results.refused(resultTopic, refusal, asker(transaction), siteId);
      onRefused({ ...named, siteId, device, by, transaction, reason });
    }

    return {
      asker,
      rights: () => (tokenId === null ? () => true : mayWakeOf(tokenId)),
      refuse,
      open: (parsed) => {
        const told = transactionOf(message, parsed.ok ? parsed.request.transaction : parsed.transaction);
        transaction = told ?? null;
        // a command that waits for whoever subscribes next would start a machine long after it was wished
        if (message.retained) return refuse("RETAINED_COMMAND", NEVER_RETAINED);
        if (!parsed.ok) return refuse("INVALID_REQUEST", parsed.reason);
        if (told === undefined) return refuse("INVALID_REQUEST", NO_TRANSACTION);
        if (response === "not-allowed") return refuse("RESPONSE_TOPIC_NOT_ALLOWED", whyNotAllowed(link, message));
        return { ...parsed.request, transaction };
      },
    };
  }
}

function notSupported({ action }: PowerRequest): string {
  return `This hub cannot do "${action}" yet; it wakes machines`;
}
