import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from "fastify-type-provider-zod";
import { STATUS_CODES } from "node:http";
import { ForeignKeyConstraintViolationException, UniqueConstraintViolationException } from "@mikro-orm/postgresql";
import type { Problem } from "#contracts/api/common.ts";
import { isDatabaseGone } from "../kernel/database-gone.ts";
import type { Trail } from "../kernel/trail.ts";
import { ERROR_STATUS, type ErrorCode, HubError } from "../kernel/errors.ts";

/** The fields that a unique index of the database protects. */
const UNIQUE_FIELDS: Readonly<Record<string, string>> = {
  device_mac_unique: "mac",
  device_key_unique: "key",
  device_own_agent_unique: "power.ownAgentId",
  cluster_key_unique: "key",
  agent_key_unique: "key",
  mqtt_client_username_unique: "name",
  user_username_unique: "username",
  user_email_unique: "email",
  site_key_unique: "key",
};

/** So many wrong fields are named, and so much of each name: a body may be wrong in a hundred thousand places. */
const MAX_ERRORS = 100;
const MAX_PATH = 100;

const FIELD_WORDS: Readonly<Record<string, string>> = {
  mac: "MAC address",
  username: "user name",
  email: "e-mail address",
};

interface Refusal {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors: Problem["errors"];
  readonly status?: number;
}

/** Refusals that an operator wants to see: they may be somebody trying doors. */
const SUSPICIOUS: ReadonlySet<ErrorCode> = new Set([
  "BAD_CREDENTIALS",
  "BAD_SETUP_CODE",
  "BAD_JOIN_CODE",
  "FORBIDDEN",
  "TOO_MANY_REQUESTS",
]);

/** Refusals that belong into the audit log; a log-in notes its own. */
const NOTED: ReadonlySet<ErrorCode> = new Set([
  "FORBIDDEN",
  "NO_SITE",
  "TOKEN_NOT_ALLOWED",
  "CSRF_HEADER_MISSING",
  "BAD_SETUP_CODE",
  "BAD_JOIN_CODE",
]);

/** Answers every failed request with problem details. A bug is logged with its stack; the caller learns the request id only. */
export function answerProblem(error: FastifyError | HubError, request: FastifyRequest, reply: FastifyReply): void {
  const refusal = refusalOf(error);
  if (refusal.code === "INTERNAL") request.log.error({ err: error }, "a request failed");
  else if (SUSPICIOUS.has(refusal.code)) request.log.warn({ code: refusal.code, address: request.ip }, refusal.detail);
  else request.log.debug({ code: refusal.code }, refusal.detail);
  // whether a change was made is not known when the connection broke on its way
  if (refusal.code === "DATABASE_UNAVAILABLE" && request.method !== "GET") request.server.onDoubt?.();
  if (NOTED.has(refusal.code)) noteRefusal(request, refusal.code);
  const status = refusal.status ?? ERROR_STATUS[refusal.code];
  const problem: Problem = {
    type: `urn:powerbeacon:error:${refusal.code}`,
    title: STATUS_CODES[status] ?? "Error",
    status,
    code: refusal.code,
    detail: refusal.detail,
    errors: refusal.errors,
    requestId: request.id,
  };
  if (error instanceof HubError && error.retryAfterSeconds !== undefined)
    void reply.header("retry-after", error.retryAfterSeconds);
  if (status === 401) void reply.header("www-authenticate", 'Bearer realm="PowerBeacon"');
  // past the reply schema on purpose: it belongs to the answers of the route
  void reply
    .code(status)
    .header("content-type", "application/problem+json; charset=utf-8")
    .serializer(JSON.stringify)
    .send(problem);
}

/** In the audit log: who tried what they may not. A path that no route answers has nobody to be noted under. */
function noteRefusal(request: FastifyRequest, reason: ErrorCode): void {
  const { method, routeOptions, trail } = request;
  (trail as Trail | null)?.note({
    action: "request.refused",
    result: "refused",
    reason,
    details: { route: `${method} ${routeOptions.url ?? ""}` },
  });
}

function refusalOf(error: FastifyError | HubError): Refusal {
  if (error instanceof HubError) {
    return {
      code: error.code,
      detail: error.message,
      errors: error.field ? [{ path: error.field, message: error.message }] : [],
    };
  }
  if (hasZodFastifySchemaValidationErrors(error)) return invalidInput(error);
  if (isResponseSerializationError(error)) return internal;
  const duplicate = duplicateOf(error);
  if (duplicate) return duplicate;
  if (error instanceof ForeignKeyConstraintViolationException)
    return {
      code: "CONFLICT",
      detail: "Something that this belongs to is gone meanwhile, or still in use",
      errors: [],
    };
  if (isDatabaseGone(error))
    return { code: "DATABASE_UNAVAILABLE", detail: "The database does not answer; try again shortly", errors: [] };
  return OF_FASTIFY[error.statusCode ?? 500]?.(error.message) ?? internal;
}

/** What Fastify itself refuses, before a route is asked. */
const OF_FASTIFY: Readonly<Record<number, (message: string) => Refusal>> = {
  400: (message) => ({ code: "INVALID_INPUT", detail: message, errors: [{ path: "body", message }] }),
  413: () => ({ code: "PAYLOAD_TOO_LARGE", detail: "The body is too large", errors: [] }),
  415: () => ({ code: "UNSUPPORTED_MEDIA_TYPE", detail: "The body must be JSON", errors: [] }),
  429: (message) => ({ code: "TOO_MANY_REQUESTS", detail: message, errors: [] }),
};

const internal: Refusal = {
  code: "INTERNAL",
  detail: "Something went wrong in the hub; its log tells more under this request id",
  errors: [],
};

function invalidInput(error: {
  validation: readonly { instancePath: string; message?: string; params: object }[];
  validationContext?: string;
}): Refusal {
  const all = error.validation.slice(0, MAX_ERRORS).flatMap(({ instancePath, message = "is not valid", params }) => {
    const path = instancePath.split("/").filter(Boolean);
    const unknown = unknownFields(params).slice(0, MAX_ERRORS);
    if (unknown.length > 0) return unknown.map((key) => ({ path: [...path, key].join("."), message: "is unknown" }));
    return { path: path.join(".") || (error.validationContext ?? "body"), message };
  });
  const errors = all.slice(0, MAX_ERRORS).map(({ path, message }) => ({ path: path.slice(0, MAX_PATH), message }));
  return { code: "INVALID_INPUT", detail: errors.map(({ path, message }) => `${path}: ${message}`).join("; "), errors };
}

/** zod names unknown fields beside the path of what holds them. */
function unknownFields(params: object): readonly string[] {
  return (params as { keys?: readonly string[] }).keys ?? [];
}

function duplicateOf(error: unknown): Refusal | undefined {
  if (!(error instanceof UniqueConstraintViolationException)) return undefined;
  const field = UNIQUE_FIELDS[(error as { constraint?: string }).constraint ?? ""];
  if (!field) return undefined;
  const detail = `This ${FIELD_WORDS[field] ?? field} is taken already`;
  return { code: "DUPLICATE", detail, errors: [{ path: field, message: detail }] };
}
