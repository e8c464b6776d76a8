import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from "openid-client";
import { SIGN_ON_PROBLEMS, type SignOnProblem } from "#contracts/sign-on-problems.ts";
import { OutboundError } from "../kernel/outbound.ts";

/** A log-in by a provider that comes to nothing, for a reason that the person at the page can be told. */
export class SignOnRefusal extends Error {
  readonly problem: SignOnProblem;

  constructor(problem: SignOnProblem, reason: string = SIGN_ON_PROBLEMS[problem]) {
    super(reason);
    this.name = "SignOnRefusal";
    this.problem = problem;
  }
}

/** What openid-client found wrong with an answer; all else means that it cannot be trusted. */
const BY_CODE: Readonly<Record<string, SignOnProblem>> = {
  OAUTH_JWT_TIMESTAMP_CHECK_FAILED: "CLOCKS_DIFFER",
  OAUTH_PARSE_ERROR: "PROVIDER_REFUSED",
  OAUTH_RESPONSE_IS_NOT_CONFORM: "PROVIDER_REFUSED",
  OAUTH_RESPONSE_IS_NOT_JSON: "PROVIDER_REFUSED",
};

/** Which of the sentences fits what went wrong between hub and provider. */
export function problemOf(error: unknown): SignOnProblem {
  if (error instanceof SignOnRefusal) return error.problem;
  if (error instanceof AuthorizationResponseError && error.error === "access_denied") return "DENIED";
  if (error instanceof ResponseBodyError && error.error === "invalid_grant") return "FLOW_EXPIRED";
  if (
    error instanceof AuthorizationResponseError ||
    error instanceof ResponseBodyError ||
    error instanceof WWWAuthenticateChallengeError
  )
    return "PROVIDER_REFUSED";
  if (outboundErrorOf(error)) return "PROVIDER_UNREACHABLE";
  if (!(error instanceof ClientError)) return "HUB_TROUBLE";
  return causesOf(error).some((cause) => cause instanceof Error && cause.message.endsWith("claim missing"))
    ? "CLAIM_MISSING"
    : (BY_CODE[error.code ?? ""] ?? "NOT_TRUSTED");
}

/** What kept the hub from calling, where that is the cause. */
export function outboundErrorOf(error: unknown): OutboundError | undefined {
  return causesOf(error).find((cause) => cause instanceof OutboundError);
}

/** What the log says of it. Messages alone: what else such errors carry may hold tokens and what the provider knows of people. */
export function reasonsOf(error: unknown): string {
  const reasons = causesOf(error).flatMap((cause) =>
    cause instanceof Error ? [cause.message, ...detailsOf(cause)] : [],
  );
  return [...new Set(reasons)].join(": ");
}

function detailsOf(error: Error): string[] {
  if (error instanceof ResponseBodyError || error instanceof AuthorizationResponseError)
    return [error.error, ...(error.error_description === undefined ? [] : [error.error_description])];
  return [];
}

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  for (let cause = error; cause instanceof Error && causes.length < 10; cause = cause.cause) causes.push(cause);
  return causes;
}
