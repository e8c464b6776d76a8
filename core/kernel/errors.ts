/**
 * What a caller can act on, and the HTTP status it answers with. A code is API: add, never rename.
 *
 * `docs/errors.md` explains each of them; a test compares the two.
 */
export const ERROR_STATUS = {
  INVALID_INPUT: 422,
  UNAUTHENTICATED: 401,
  BAD_CREDENTIALS: 401,
  FORBIDDEN: 403,
  NO_SITE: 403,
  PASSWORD_CHANGE_REQUIRED: 403,
  TOKEN_NOT_ALLOWED: 403,
  CSRF_HEADER_MISSING: 403,
  NOT_FOUND: 404,
  ROUTE_NOT_FOUND: 404,
  CONFLICT: 409,
  DUPLICATE: 409,
  LAST_SUPERUSER: 409,
  LAST_WAY_IN: 409,
  SITE_IN_USE: 409,
  WRONG_PASSWORD: 422,
  SETUP_COMPLETE: 409,
  SETUP_REQUIRED: 409,
  BAD_SETUP_CODE: 403,
  BAD_JOIN_CODE: 403,
  AGENT_NOT_IN_CLUSTER: 409,
  NO_AGENT: 409,
  ALL_OFFLINE: 503,
  SEND_FAILED: 503,
  CLUSTER_EMPTY: 409,
  DEVICE_DISABLED: 409,
  WAKE_OVER: 409,
  DEPENDENCY_CYCLE: 409,
  NEED_FAILED: 409,
  TOO_MANY_WAKES: 503,
  NOT_SUPPORTED: 409,
  AGENT_OFFLINE: 503,
  AGENT_REFUSED: 503,
  INHIBITED: 409,
  STRANDED: 409,
  NEEDED_BY: 409,
  LEASED: 409,
  POWER_OFF_OVER: 409,
  POWER_OFF_FAILED: 503,
  TOO_MANY_POWER_OFFS: 503,
  NOT_SEEN: 503,
  NOT_BACK: 503,
  TOO_MANY_SCHEDULES: 409,
  TOO_MANY_LEASES: 409,
  LEASE_OVER: 409,
  DISCOVERY_OFF: 409,
  UNKNOWN_DEVICE: 404,
  UNKNOWN_CLUSTER: 404,
  UNKNOWN_REQUEST: 404,
  INVALID_REQUEST: 422,
  RETAINED_COMMAND: 422,
  RESPONSE_TOPIC_NOT_ALLOWED: 403,
  NO_RECEIPT: 503,
  HUB_RESTARTED: 503,
  TOO_MANY_REQUESTS: 429,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  AUDIT_UNAVAILABLE: 503,
  PROVIDER_UNAVAILABLE: 503,
  DATABASE_UNAVAILABLE: 503,
  INTERNAL: 500,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** A refusal that the caller can act on. The message speaks to a person, the code to programs. */
export class HubError extends Error {
  readonly code: ErrorCode;
  /** The input field that the refusal is about, such as `mac`. */
  readonly field: string | undefined;
  /** When to try again, for `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { field?: string; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "HubError";
    this.code = code;
    this.field = options.field;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return ERROR_STATUS[this.code];
  }
}
