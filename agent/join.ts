import { randomBytes } from "node:crypto";
import { z } from "zod";
import { EnrolAnswer, EnrolGrant, type EnrolRequest, type JoinCode, parseJoinCode } from "#contracts/enrolment.ts";
import { AgentError, HubNotReady } from "./agent-error.ts";
import { type Credential, prepareStateDir, readCredential, writeCredential } from "./credential.ts";
import { takeInventory } from "./inventory.ts";
import { fingerprintOf, signedBy } from "./signature.ts";

const ANSWER_WITHIN_MS = 15_000;

export interface JoinOptions {
  /** Where the hub's page is, such as `https://hub.example.org`. */
  readonly hubUrl: string;
  /** A join code, `pbj_…`. */
  readonly code: string;
  /** null = the host name. */
  readonly name: string | null;
  readonly stateDir: string;
  /** Join although there is a credential already, and forget that one. */
  readonly replace?: boolean;
}

/**
 * Joins a hub with a one-time code and stores the credential that it grants.
 *
 * The code carries the fingerprint of the hub's key, so a hub that shows another key, or does not sign its grant, is an impostor.
 * @throws AgentError with a sentence for the person who pasted the code; a `HubNotReady` where trying again may help.
 */
export async function joinHub(options: JoinOptions): Promise<Credential> {
  const hubUrl = readHubUrl(options.hubUrl);
  const code = parseJoinCode(options.code);
  if (!code) throw new AgentError("That is not a join code; copy all of it, from pbj_ to the end");
  if (!options.replace && (await readCredential(options.stateDir)))
    throw new AgentError(`This agent has joined a hub already; use --replace to forget that (${options.stateDir})`);
  await prepareStateDir(options.stateDir); // before the code is spent

  const nonce = randomBytes(24).toString("base64url");
  const inventory = await takeInventory();
  const answer = await enrol(hubUrl, { secret: code.secret, nonce, name: options.name, inventory });
  const grant = await openGrant(answer, code, nonce);
  const credential: Credential = {
    hubUrl,
    hubKey: answer.hubKey,
    agentId: grant.agentId,
    agent: grant.agent,
    username: grant.username,
    password: grant.password,
    baseTopic: grant.baseTopic,
    mqttUrl: grant.mqttUrl ?? mqttUrlAt(hubUrl),
    ...(grant.mqttCa !== null && { mqttCa: grant.mqttCa }),
    joinedAt: new Date().toISOString(),
  };
  await writeCredential(options.stateDir, credential);
  return credential;
}

/** Where a hub's own broker takes WebSocket connections: `/mqtt` below its address. */
export function mqttUrlAt(hubUrl: string): string {
  return `${hubUrl.replace(/^http/, "ws")}/mqtt`;
}

function readHubUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol))
    throw new AgentError(`"${text}" is not the address of a hub, such as http://192.168.1.10:8080`);
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

async function enrol(hubUrl: string, request: EnrolRequest): Promise<EnrolAnswer> {
  const response = await post(`${hubUrl}/api/agents/enrol`, request);
  const body = await response.json().catch(() => undefined); // a proxy's error page is no JSON; the status tells
  if (response.status >= 500 || response.status === 429)
    throw new HubNotReady(`The hub at ${hubUrl} is not ready: ${refusalIn(body) ?? `HTTP status ${response.status}`}`);
  if (!response.ok) throw new AgentError(`The hub refused: ${refusalIn(body) ?? `HTTP status ${response.status}`}`);
  const answer = EnrolAnswer.safeParse(body);
  if (!answer.success) throw new AgentError(`What answers at ${hubUrl} is not a PowerBeacon hub of this version`);
  return answer.data;
}

async function post(url: string, body: EnrolRequest): Promise<Response> {
  try {
    return await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
      redirect: "error", // the secret goes where the person sent it, nowhere else
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
  } catch (cause) {
    throw new HubNotReady(`The hub at ${new URL(url).origin} cannot be reached: ${reasonOf(cause)}`, { cause });
  }
}

async function openGrant(answer: EnrolAnswer, code: JoinCode, nonce: string): Promise<EnrolGrant> {
  if ((await fingerprintOf(answer.hubKey)) !== code.fingerprint)
    throw new AgentError("The hub shows another key than the join code names: this is not the hub that made the code");
  const open = await signedBy(answer.hubKey);
  const payload = await open(answer.grant).catch((cause: unknown) => {
    throw new AgentError("The hub's answer is not signed by its key", { cause });
  });
  const grant = EnrolGrant.safeParse(payload);
  if (!grant.success) throw new AgentError("The hub's answer is not a grant that this version understands");
  if (grant.data.nonce !== nonce) throw new AgentError("The hub's answer belongs to another request");
  return grant.data;
}

/** The sentence in problem details (RFC 9457). */
function refusalIn(body: unknown): string | undefined {
  const problem = z.object({ detail: z.string().min(1) }).safeParse(body);
  return problem.success ? problem.data.detail : undefined;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${ANSWER_WITHIN_MS / 1000} s`;
  if (error.message.includes("wrong version number")) return "it does not speak TLS there; try http://";
  if (/other side closed|Parse Error|Expected HTTP/.test(error.message))
    return "what answers there does not speak HTTP";
  // fetch says "fetch failed"; its cause knows why
  if (error.cause instanceof AggregateError && error.cause.errors[0]) return reasonOf(error.cause.errors[0]);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}
