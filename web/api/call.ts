import type { Problem } from "#contracts/api/common.ts";
import { hrefOf } from "./address.ts";
import { chosenSite } from "./site.ts";

/** Why a call came to nothing: the hub's own words, or that it could not be reached. */
export class CallError extends Error {
  /** As in docs/errors.md; `UNREACHABLE` when no answer came. */
  readonly code: string;
  /** What is wrong with which field. */
  readonly fields: Problem["errors"];

  constructor(code: string, message: string, fields: Problem["errors"] = []) {
    super(message);
    this.name = "CallError";
    this.code = code;
    this.fields = fields;
  }
}

/** A hub that takes a connection and says nothing does not leave a person waiting for ever. Milliseconds. */
const PATIENCE_MS = 30_000;
/** A log of years is a large file. Milliseconds. */
const FILE_PATIENCE_MS = 600_000;

/** Refusals after which the page asks anew who is logged in, and what the account may. */
const DOUBTFUL: ReadonlySet<string> = new Set(["UNAUTHENTICATED", "FORBIDDEN", "NO_SITE", "PASSWORD_CHANGE_REQUIRED"]);

/** Asked to learn whether somebody is logged in: to be told no is an answer here, not a surprise. */
export const WHO_AM_I = "/auth/me";

/**
 * Calls the hub's API with the session cookie.
 *
 * @param path below `/api`, such as `/devices`.
 * @throws CallError
 */
export async function call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await ask(method, path, body);
  const answer = await jsonOf(response);
  if (response.ok) return answer as Answer; // the hub checks its answers against the same contract
  throw refusalOf(response, answer, path);
}

/** What the hub answers as a file, whole: a link could not say which site it is about. @throws CallError */
export async function callForFile(path: string): Promise<Blob> {
  const response = await ask("GET", path, undefined, FILE_PATIENCE_MS);
  if (response.ok) return await response.blob();
  throw refusalOf(response, await jsonOf(response), path);
}

function refusalOf(response: Response, answer: unknown, path: string): CallError {
  const { code, detail, errors } = (answer ?? {}) as Partial<Problem>;
  if (code === undefined || detail === undefined)
    return new CallError("UNREACHABLE", `The hub cannot be reached (${response.status}). Try again in a moment.`);
  if (DOUBTFUL.has(code) && path !== WHO_AM_I) globalThis.dispatchEvent(new Event("session-doubtful"));
  return new CallError(code, detail, errors);
}

async function ask(method: string, path: string, body: unknown, patienceMs = PATIENCE_MS): Promise<Response> {
  const site = chosenSite();
  const headers = {
    "x-powerbeacon": "1",
    ...(site !== null && { "x-powerbeacon-site": site }), // SITE_HEADER of the contract
    ...(body !== undefined && { "content-type": "application/json" }),
  };
  try {
    return await fetch(hrefOf(`/api${path}`), {
      method,
      headers,
      signal: AbortSignal.timeout(patienceMs),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === "TimeoutError";
    throw new CallError(
      "UNREACHABLE",
      isLate
        ? `The hub did not answer within ${patienceMs / 1_000} seconds.`
        : "The hub cannot be reached. Try again in a moment.",
    );
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined;
  try {
    return await response.json();
  } catch {
    return undefined; // a proxy's page, or a connection that broke off: the caller says so
  }
}
