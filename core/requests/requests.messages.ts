import { createHash } from "node:crypto";
import type { Logger } from "pino";
import {
  type HubResponse,
  type HubVerb,
  type RequestData,
  type RequestFields,
  hubRequests,
  parseFields,
  parseHubRequest,
} from "#contracts/request.ts";
import { responsePrefix, topics } from "#contracts/topics.ts";
import {
  type AnswerAddress,
  NO_TRANSACTION,
  answerAddressOf,
  publishAnswer,
  transactionOf,
  whyNotAllowed,
} from "../kernel/answer.ts";
import { Allowance } from "../kernel/allowance.ts";
import { HubError } from "../kernel/errors.ts";
import type { Link, LinkMessage, Sender } from "../kernel/link.ts";
import { Transactions } from "../wake/transactions.ts";
import { type Requester, type Rights, rightsOf } from "./rights.ts";

/** Somebody whose request is carried out. */
export interface RequestAsker extends Sender {
  readonly rights: Rights;
  readonly transaction: string | null;
  /** Where results that follow go besides their usual topic. */
  readonly response: AnswerAddress | null;
}

/** What a verb does, for whoever may ask for it. It throws a HubError when the asker can act on it. */
export type Verb<V extends HubVerb> = (
  fields: RequestFields<V>,
  asker: RequestAsker,
) => Promise<RequestData<V>> | RequestData<V>;
export type Verbs = { readonly [V in HubVerb]: Verb<V> };

export interface RequestRefusal {
  readonly siteId: string | null;
  readonly by: string;
  readonly cluster: null;
  readonly device: string | null;
  readonly transaction: string | null;
  readonly reason: string;
}

export interface Requests {
  readonly link: Link;
  readonly verbs: Verbs;
  /** Who sent a message, as far as the broker tells. */
  readonly requesterOf: (sender: Sender) => Requester;
  /** A request was refused; reported besides the answer to the asker. */
  readonly onRefused: (refusal: RequestRefusal) => void;
  readonly log: Logger;
}

const NEVER_RETAINED = "Requests are never retained";
/** A name that somebody made up is repeated so far. */
const MAX_VERB_SHOWN = 40;
/** Answers of ten minutes are kept up to so many bytes together. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;
/** Wakes repeat themselves: with the newest stage of each. */
const REPEATED_BY_WAKES: ReadonlySet<string> = new Set<HubVerb>(["wake", "power"]);

/** An asker gets as many answers as over HTTP, and fewer of those that tell of everything: on a large hub each takes a while. */
const ANSWERS = { each: 600, all: 6_000, periodMs: 60_000 };
const LARGE_ANSWERS = { each: 60, all: 300, periodMs: 60_000 };
const ANSWERED_AT_LENGTH: ReadonlySet<string> = new Set<HubVerb>(["inventory", "plan", "send-discovery"]);

/** What was asked with a transaction, and what came of it. */
interface Answered {
  readonly question: string;
  readonly data: Promise<Record<string, unknown>>;
  readonly bytes: number;
}

/** Requests to the hub itself, on `hub/request/<verb>`. Each is answered on `hub/response/<verb>`. */
export function listenToRequests({ link, verbs, requesterOf, onRefused, log }: Requests) {
  const allowances = { all: new Allowance(ANSWERS), large: new Allowance(LARGE_ANSWERS) };
  const answered = new Transactions<Answered>({ capacity: MAX_KEPT_BYTES, sizeOf: ({ bytes }) => bytes });

  link.on(topics.hubRequest, (message) => void carryOut(message));

  async function carryOut(message: LinkMessage): Promise<void> {
    const { key: verb, by, siteId } = message;
    const parsed = parseHubRequest(message.payload.toString("utf8"));
    const told = transactionOf(message, parsed.transaction);
    const transaction = told ?? null;
    const asked = answerAddressOf(link, message);
    const address = asked === "not-allowed" ? null : (asked ?? ownAddressOf(message));
    try {
      const data = await dataFor();
      answer(verb, { status: "ok", data, transaction }, { address, siteId });
    } catch (error) {
      const { code, message: reason, field = null } = refusalOf(error);
      answer(verb, { status: "error", error: { code, reason, field }, transaction }, { address, siteId });
      onRefused({ siteId, by, cluster: null, device: null, transaction, reason });
    }

    async function dataFor(): Promise<Record<string, unknown>> {
      // it would be carried out again at each start of the hub
      if (message.retained) throw new HubError("RETAINED_COMMAND", NEVER_RETAINED);
      if (!parsed.ok) throw invalid(parsed);
      if (told === undefined) throw invalid({ reason: NO_TRANSACTION, field: "transaction" });
      if (asked === "not-allowed") throw new HubError("RESPONSE_TOPIC_NOT_ALLOWED", whyNotAllowed(link, message));
      if (!isVerb(verb)) throw new HubError("UNKNOWN_REQUEST", `There is no request "${shown(verb)}"`);
      const rights = rightsOf(requesterOf(message));
      const { needs } = hubRequests[verb];
      if (!needs.some((permission) => rights.may(permission)))
        throw new HubError("FORBIDDEN", `You may not ask for ${verb}; it needs the permission ${needs.join(" or ")}`);
      const { tokenId } = message;
      const asker = { by, siteId, tokenId, rights, transaction, response: address };
      const act = prepared(verb, parsed.fields, asker);
      checkAllowance(verb, `${siteId} ${by}`);
      return await once(message, verb, transaction, act);
    }
  }

  /** @throws HubError TOO_MANY_REQUESTS */
  function checkAllowance(verb: HubVerb, asker: string): void {
    const now = performance.now();
    const isFine =
      allowances.all.take(asker, now) && (!ANSWERED_AT_LENGTH.has(verb) || allowances.large.take(asker, now));
    if (!isFine) throw new HubError("TOO_MANY_REQUESTS", `Too many requests for ${verb}; try again in a minute`);
  }

  /** A transaction that this asker used within ten minutes repeats the answer. What was refused was not done, and may be tried again. */
  async function once(
    { by, siteId, payload }: LinkMessage,
    verb: HubVerb,
    transaction: string | null,
    ask: () => Promise<Record<string, unknown>>,
  ): Promise<Record<string, unknown>> {
    if (transaction === null) return await ask();
    const client = `${siteId} ${by}`;
    const question = createHash("sha256").update(`${verb}\n`).update(payload).digest("base64");
    const [known] = answered.find(client, transaction, performance.now()) ?? [];
    if (known && known.question !== question)
      throw new HubError("CONFLICT", "This transaction was used for something else within the last ten minutes");
    if (known && !REPEATED_BY_WAKES.has(verb)) return await known.data;
    const data = ask();
    const remember = (bytes: number) =>
      answered.remember(client, transaction, [{ question, data, bytes }], performance.now());
    remember(0);
    try {
      const settled = await data;
      remember(REPEATED_BY_WAKES.has(verb) ? 0 : JSON.stringify(settled).length);
      return settled;
    } catch (error) {
      answered.forget(client, transaction);
      throw error;
    }
  }

  /** @throws HubError INVALID_REQUEST */
  function prepared<V extends HubVerb>(verb: V, told: object, asker: RequestAsker): () => Promise<RequestData<V>> {
    const parsed = parseFields(verb, told);
    if (!parsed.ok) throw invalid(parsed);
    const act: Verb<V> = verbs[verb];
    return async () => await act(parsed.fields, asker);
  }

  /** Who cannot give a response topic, with MQTT 3.1.1, and does not read everybody's responses, is answered all the same. */
  function ownAddressOf({ by, siteId, key: verb }: LinkMessage): AnswerAddress | null {
    if (siteId === null || by.includes("/")) return null;
    return { topic: responsePrefix(by) + verb, correlationData: undefined };
  }

  function answer(
    verb: string,
    response: HubResponse,
    to: { readonly address: AnswerAddress | null; readonly siteId: string | null },
  ): void {
    const { transaction } = response;
    const code = response.status === "error" ? response.error.code : null;
    const marked = { ...to, transaction, code };
    publishAnswer(link, topics.hubResponse.for(verb), JSON.stringify(response), marked).catch((error: unknown) => {
      log.warn({ err: error, verb: shown(verb) }, "a request could not be answered");
    });
  }

  function refusalOf(error: unknown): Pick<HubError, "code" | "message" | "field"> {
    if (error instanceof HubError) return error;
    log.error({ err: error }, "a request failed");
    return { code: "INTERNAL", message: "The hub made a mistake; its log says more", field: undefined };
  }

  return {
    /** Answers a retained request that the broker did not let through. Returns false when the topic is none of requests. */
    refuseRetained: (topic: string, { by, siteId }: Sender): boolean => {
      const verb = topics.hubRequest.match(topic);
      if (verb === undefined) return false;
      const error = { code: "RETAINED_COMMAND", reason: NEVER_RETAINED, field: null };
      answer(verb, { status: "error", error, transaction: null }, { address: null, siteId });
      onRefused({ siteId, by, cluster: null, device: null, transaction: null, reason: NEVER_RETAINED });
      return true;
    },
  };
}

/** Own keys alone: `constructor` is a verb only if somebody adds it. */
function isVerb(verb: string): verb is HubVerb {
  return Object.hasOwn(hubRequests, verb);
}

function shown(verb: string): string {
  return verb.length > MAX_VERB_SHOWN ? `${verb.slice(0, MAX_VERB_SHOWN).toWellFormed()}…` : verb;
}

function invalid({ reason, field }: { readonly reason: string; readonly field: string | null }): HubError {
  return new HubError("INVALID_REQUEST", reason, field === null ? {} : { field });
}
