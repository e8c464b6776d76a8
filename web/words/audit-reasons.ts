import type { SignOnProblem } from "#contracts/sign-on-problems.ts";

/** Why the provider's log-ins came to nothing, told of somebody else. */
const SIGN_ON_WORDS: Readonly<Record<SignOnProblem, string>> = {
  DENIED: "It was cancelled at the provider",
  FLOW_EXPIRED: "It took too long, or it was begun elsewhere",
  STATE_MISMATCH: "The answer belonged to another log-in",
  PROVIDER_UNREACHABLE: "The provider could not be reached",
  PROVIDER_REFUSED: "The provider refused it",
  NOT_TRUSTED: "The provider's answer could not be trusted",
  CLOCKS_DIFFER: "The clocks of the hub and the provider differ",
  CLAIM_MISSING: "The provider did not tell enough about the person",
  EMAIL_UNVERIFIED: "The provider has not verified the e-mail address",
  DOMAIN_NOT_ALLOWED: "Accounts of this e-mail domain may not log in",
  NOT_PROVISIONED: "Nobody here logs in by this account",
  EMAIL_TAKEN: "Another account has the e-mail address",
  ACCOUNT_DISABLED: "The account is disabled",
  IDENTITY_TAKEN: "Another account logs in by it",
  SESSION_ENDED: "The session ended before",
  TOO_MANY_TRIES: "Too many log-ins from this address",
  HUB_TROUBLE: "The hub had trouble; its own log tells which",
};

const REASON_WORDS: Readonly<Record<string, string>> = {
  ...SIGN_ON_WORDS,
  FORBIDDEN: "It is not allowed to them",
  NO_SITE: "They do not belong to this site",
  TOKEN_NOT_ALLOWED: "Tokens do not reach this",
  CSRF_HEADER_MISSING: "It did not come from the page",
  BAD_CREDENTIALS: "The name or the password was wrong, or the account is disabled",
  BAD_SETUP_CODE: "The set-up code was wrong",
  BAD_JOIN_CODE: "The join code was unknown, used up or expired",
  NO_AGENT: "No agent can reach it",
  ALL_OFFLINE: "Every agent that could wake it was offline",
  SEND_FAILED: "No agent could send a magic packet",
  NO_RECEIPT: "No agent said that it sent a magic packet",
  HUB_RESTARTED: "The hub was restarted meanwhile",
  DEVICE_DISABLED: "The device is disabled",
  CLUSTER_EMPTY: "The cluster has no enabled device",
  TOO_MANY_WAKES: "Too many wakes were running",
  TOO_MANY_REQUESTS: "Too many requests",
};

/** Why something was refused or failed; a code that this page does not know, of a newer hub, stays as it is. */
export function reasonWords(code: string): string {
  return (Object.hasOwn(REASON_WORDS, code) ? REASON_WORDS[code] : undefined) ?? code;
}
