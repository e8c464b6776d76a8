import type { Logger } from "pino";
import { type HubResponse, parseHubRequest } from "#contracts/request.ts";
import { topics } from "#contracts/topics.ts";
import { type AnswerAddress, answerAddressOf, publishAnswer, whyNotAllowed } from "../kernel/answer.ts";
import { HubError } from "../kernel/errors.ts";
import type { Link, LinkMessage, Sender } from "../kernel/link.ts";

/** What a verb does, in the asker's site alone where the broker tells it. It throws a HubError when the asker can act on it. */
export type Verb = (fields: Readonly<Record<string, unknown>>, asker: Sender) => Promise<Record<string, unknown>>;

export interface Requests {
  readonly link: Link;
  /** A map, so that `constructor` is a verb only if somebody adds it. */
  readonly verbs: ReadonlyMap<string, Verb>;
  /** A request was refused; reported besides the answer to the asker. */
  readonly onRefused: (refusal: {
    siteId: string | null;
    by: string;
    cluster: null;
    device: null;
    transaction: string | null;
    reason: string;
  }) => void;
  readonly log: Logger;
}

const NEVER_RETAINED = "Requests are never retained";

/** Requests to the hub itself, on `hub/request/<verb>`. Each is answered on `hub/response/<verb>`. */
export function listenToRequests({ link, verbs, onRefused, log }: Requests) {
  link.on(topics.hubRequest, (message) => {
    const { key: verb, by, siteId } = message;
    const parsed = parseHubRequest(message.payload.toString("utf8"));
    const transaction = parsed.ok ? parsed.request.transaction : parsed.transaction;
    const address = answerAddressOf(link, message);
    const to = { address: address === "not-allowed" ? null : address, siteId };

    attempt().then(
      (data) => answer(verb, { status: "ok", data, transaction }, to),
      (error: unknown) => {
        const { code, message: reason } = refusalOf(error);
        answer(verb, { status: "error", error: { code, reason }, transaction }, to);
        onRefused({ siteId, by, cluster: null, device: null, transaction, reason });
      },
    );

    async function attempt(): Promise<Record<string, unknown>> {
      // it would be carried out again at each start of the hub
      if (message.retained) throw new HubError("RETAINED_COMMAND", NEVER_RETAINED);
      if (!parsed.ok) throw new HubError("INVALID_REQUEST", parsed.reason);
      if (address === "not-allowed") throw new HubError("RESPONSE_TOPIC_NOT_ALLOWED", whyNotAllowed(link, message));
      const act = verbs.get(verb);
      if (!act) throw new HubError("UNKNOWN_REQUEST", `There is no request "${verb}"`);
      return await act(parsed.request.fields, message);
    }
  });

  return {
    /** Answers a retained request that the broker did not let through. Returns false when the topic is none of requests. */
    refuseRetained: (topic: string, { by, siteId }: Sender): boolean => {
      const verb = topics.hubRequest.match(topic);
      if (verb === undefined) return false;
      const error = { code: "RETAINED_COMMAND", reason: NEVER_RETAINED };
      answer(verb, { status: "error", error, transaction: null }, { address: null, siteId });
      onRefused({ siteId, by, cluster: null, device: null, transaction: null, reason: NEVER_RETAINED });
      return true;
    },
  };

  function answer(
    verb: LinkMessage["key"],
    response: HubResponse,
    to: { address: AnswerAddress | null; siteId: string | null },
  ): void {
    publishAnswer(link, topics.hubResponse.for(verb), JSON.stringify(response), to).catch((error: unknown) => {
      log.warn({ err: error, verb }, "a request could not be answered");
    });
  }

  function refusalOf(error: unknown): { code: string; message: string } {
    if (error instanceof HubError) return error;
    log.error({ err: error }, "a request failed");
    return { code: "INTERNAL", message: "The hub made a mistake; its log says more" };
  }
}
