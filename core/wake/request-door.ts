import { Key } from "#contracts/key.ts";
import { PERSON_MARK } from "#contracts/principal.ts";
import type { ParsedRequest, Refusal } from "#contracts/wake.ts";
import { NO_TRANSACTION, answerAddressOf, publishAnswer, transactionOf, whyNotAllowed } from "../kernel/answer.ts";
import type { ErrorCode } from "../kernel/errors.ts";
import type { Link, LinkMessage, Sender } from "../kernel/link.ts";
import type { Trail } from "../kernel/trail.ts";
import type { DirectoryDevice } from "../members/directory.ts";
import type { Asker } from "./running-wake.ts";

export interface RequestDoors {
  readonly link: Link;
  /** Which devices a sender may wake, or power off, now; the broker has only looked at the topic. */
  readonly mayOf: (sender: Sender, act: "wake" | "power") => (device: DirectoryDevice) => boolean;
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
  /** A refusal could not be published. */
  readonly onLost: (error: unknown) => void;
}

/** The things that the topic of a request names. */
export interface Named {
  readonly cluster: string | null;
  readonly device: string | null;
}

/** A request that came by MQTT on its way in: read, let in or refused, with an answer in each case. */
export interface RequestDoor {
  /** The parsed request, or undefined after it was answered why not. */
  open<Request extends { transaction: string | null }>(parsed: ParsedRequest<Request>): Request | undefined;
  asker(transaction: string | null): Asker;
  /** The devices that the sender may do this to; each of the others is answered. */
  allowed(devices: readonly DirectoryDevice[], act: "wake" | "power"): readonly DirectoryDevice[];
  refuse(code: ErrorCode, reason: string, device?: string): undefined;
}

const NEVER_RETAINED = "Requests are never retained";
const MAY_NOT = { wake: "You may not wake this device", power: "You may not power this device off" } as const;

/** @param resultTopic where refusals are answered. */
export function requestDoor(
  { link, mayOf, trailOf, onRefused, onLost }: RequestDoors,
  message: LinkMessage,
  resultTopic: string,
  named: Named,
): RequestDoor {
  let transaction: string | null = null;
  const response = answerAddressOf(link, message);
  const { siteId, tokenId } = message;
  const by = tokenId === null ? message.by : message.by.slice(PERSON_MARK.length);
  const address = response === "not-allowed" ? null : response;

  function refuse(code: ErrorCode, reason: string, device: string | null = named.device): undefined {
    const key = Key.safeParse(device);
    const refusal: Refusal = {
      transaction,
      device: key.success ? key.data : null,
      stage: "refused",
      at: new Date().toISOString(),
      code,
      reason,
    };
    publishAnswer(link, resultTopic, JSON.stringify(refusal), { address, siteId, transaction, code }).catch(onLost);
    onRefused({ ...named, siteId, device, by, transaction, reason });
  }

  return {
    refuse,
    asker: (transaction) => ({
      by,
      door: tokenId === null ? "mqtt" : "mqtt-person",
      transaction,
      response: address,
      trail: trailOf(message),
      mayWake: (device) => mayOf(message, "wake")(device),
    }),
    allowed: (devices, act) => {
      const may = mayOf(message, act);
      const { yes = [], no = [] } = Object.groupBy(devices, (device) => (may(device) ? "yes" : "no"));
      for (const { key } of no) refuse("FORBIDDEN", MAY_NOT[act], key);
      return yes;
    },
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

/** Answers a retained request that the broker did not let through. */
export function refuseRetained(
  doors: RequestDoors,
  sender: Sender,
  { topic, key, resultTopic, named }: { topic: string; key: string; resultTopic: string; named: Named },
): void {
  const nothing = { responseTopic: undefined, correlationData: undefined, userProperties: undefined };
  const message = { topic, key, payload: Buffer.alloc(0), retained: true, tellsRetained: true, ...sender, ...nothing };
  requestDoor(doors, message, resultTopic, named).refuse("RETAINED_COMMAND", NEVER_RETAINED);
}
