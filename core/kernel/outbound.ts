import { type LookupAddress, lookup } from "node:dns";
import { request as requestOverHttp, type IncomingMessage } from "node:http";
import { request as requestOverTls } from "node:https";
import { type LookupFunction, isIP } from "node:net";
import { whyForbidden } from "./forbidden-address.ts";

/** Why a call to somewhere else came to nothing. */
export type OutboundRefusal = "FORBIDDEN" | "UNREACHABLE" | "TOO_SLOW" | "TOO_LARGE";

/** The message is a sentence for whoever typed the address. */
export class OutboundError extends Error {
  readonly refusal: OutboundRefusal;

  constructor(refusal: OutboundRefusal, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = "OutboundError";
    this.refusal = refusal;
  }
}

export interface OutboundRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** Calls to addresses that somebody typed, and to those that the answers name. */
export interface Outbound {
  /**
   * Fetches from a host outside.
   *
   * The hub looks the host up itself and connects to the very addresses that it checked, so a name cannot mean another
   * machine a moment later. A redirect is an answer like any other and is not followed.
   *
   * @throws OutboundError
   */
  fetch(url: string, request?: OutboundRequest): Promise<Response>;
  /** Whether the operator named the host in `OUTBOUND_ALLOWED`. */
  isExempt(url: string): boolean;
  /** What can be said of an address before its host is looked up. @throws OutboundError */
  check(url: string): void;
  /** The addresses of a host that may be connected to by other means than HTTP. @throws OutboundError */
  addressesOf(host: string): Promise<readonly string[]>;
}

export interface OutboundOptions {
  /** Hosts, as addresses name them, that may be called wherever they lie, and without TLS. */
  readonly allowed: readonly string[];
  readonly patienceMs?: number;
  readonly maxBytes?: number;
  /** Whether every host may be called without TLS: what stands in a home seldom has a certificate. */
  readonly plainHttp?: boolean;
  /** Tests answer for names of their own. */
  readonly lookUp?: (hostname: string) => Promise<readonly LookupAddress[]>;
}

const PATIENCE_MS = 5_000;
const MAX_BYTES = 1024 * 1024;

export function createOutbound(options: OutboundOptions): Outbound {
  const { patienceMs = PATIENCE_MS, maxBytes = MAX_BYTES, plainHttp = false, lookUp = lookUpAll } = options;
  const allowed = new Set(options.allowed.map((host) => hostOf(host)));
  const isExempt = (host: string) => allowed.has(host);

  return {
    isExempt: (url) => isExempt(new URL(url).hostname),
    check: (url) => checkScheme(new URL(url), plainHttp || isExempt(new URL(url).hostname)),
    addressesOf: async (host) => {
      const hostname = hostOf(host);
      const signal = AbortSignal.timeout(patienceMs);
      try {
        const found = await inTime(addressesOf({ hostname }, isExempt(hostname), lookUp), signal);
        return found.map(({ address }) => address);
      } catch (error) {
        if (error instanceof OutboundError) throw error;
        if (signal.aborted) throw new OutboundError("TOO_SLOW", `The name ${host} was not found in time`);
        throw new OutboundError("UNREACHABLE", `${host} cannot be found: ${reasonOf(error)}`, { cause: error });
      }
    },
    fetch: async (address, request = {}) => {
      const url = new URL(address);
      const isExempted = isExempt(url.hostname);
      checkScheme(url, plainHttp || isExempted);
      const signal = AbortSignal.timeout(patienceMs);
      try {
        const checked = await inTime(addressesOf(url, isExempted, lookUp), signal);
        const answer = await send(url, request, { signal, lookup: answering(checked) });
        return await responseOf(answer, maxBytes);
      } catch (error) {
        if (error instanceof OutboundError) throw error;
        if (signal.aborted)
          throw new OutboundError("TOO_SLOW", `${url.host} did not answer within ${patienceMs / 1_000} seconds`);
        throw new OutboundError("UNREACHABLE", `${url.host} cannot be reached: ${reasonOf(error)}`, { cause: error });
      }
    },
  };
}

/** As an address spells it: small letters, IPv6 in brackets. */
function hostOf(host: string): string {
  const text = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return URL.parse(`http://${text}`)?.hostname ?? text.toLowerCase();
}

function checkScheme({ protocol, hostname, username, password }: URL, isExempted: boolean): void {
  if (protocol !== "https:" && protocol !== "http:")
    throw new OutboundError("FORBIDDEN", `The hub calls https:// addresses only, not ${protocol}`);
  if (protocol === "http:" && !isExempted)
    throw new OutboundError("FORBIDDEN", `The address must begin with https://; ${howToAllow(hostname)}`);
  if (username !== "" || password !== "")
    throw new OutboundError("FORBIDDEN", "The address must not hold a user name or a password");
}

async function addressesOf(
  { hostname }: Pick<URL, "hostname">,
  isExempted: boolean,
  lookUp: NonNullable<OutboundOptions["lookUp"]>,
): Promise<readonly LookupAddress[]> {
  const literal = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  const family = isIP(literal);
  const addresses = family === 0 ? await lookUp(hostname) : [{ address: literal, family }];
  for (const { address } of isExempted ? [] : addresses) {
    const why = whyForbidden(address);
    if (why) {
      const what = address === literal ? `${hostname} is ${why}` : `${hostname} means ${address}, ${why}`;
      throw new OutboundError("FORBIDDEN", `${what}. The hub does not call it; ${howToAllow(hostname)}`);
    }
  }
  return addresses;
}

function howToAllow(hostname: string): string {
  return `an operator may allow it by naming ${hostname} in OUTBOUND_ALLOWED`;
}

function lookUpAll(hostname: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    lookup(hostname, { all: true, verbatim: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });
}

/** Answers the connection with the addresses that were checked, whatever the name means by now. */
function answering(addresses: readonly LookupAddress[]): LookupFunction {
  return (_hostname, { all }, callback) => {
    const [first] = addresses;
    if (!first) callback(new Error("the name has no address"), "");
    else if (all) callback(null, [...addresses]);
    else callback(null, first.address, first.family);
  };
}

function send(
  url: URL,
  { method = "GET", headers = {}, body }: OutboundRequest,
  { signal, lookup }: { signal: AbortSignal; lookup: LookupFunction },
): Promise<IncomingMessage> {
  const request = url.protocol === "https:" ? requestOverTls : requestOverHttp;
  return new Promise((resolve, reject) => {
    // no kept connection: it would belong to a name, not to an address that was checked
    request(url, { method, headers, signal, lookup, agent: false }, resolve).on("error", reject).end(body);
  });
}

async function responseOf(answer: IncomingMessage, maxBytes: number): Promise<Response> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new OutboundError("TOO_LARGE", `The answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(answer.headersDistinct))
    for (const value of values) headers.append(name, value);
  const status = answer.statusCode ?? 0;
  const hasBody = ![204, 205, 304].includes(status);
  return new Response(hasBody ? Buffer.concat(chunks) : null, { status, headers });
}

/** A name server may be silent for longer than the whole call may take. */
async function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
  return await Promise.race([work, late]);
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message || error.name : String(error);
}
