/**
 * Why a log-in by a provider, or the link of one, came to nothing: the code stands behind `?problem=` in the address of the
 * page, which shows the sentence. Never an error text of the provider's: anybody could write one into an address.
 */
export const SIGN_ON_PROBLEMS = {
  DENIED: "The log-in was cancelled at the provider.",
  FLOW_EXPIRED: "The log-in took too long, or it was begun elsewhere. Try again.",
  STATE_MISMATCH: "This answer belongs to another log-in, perhaps of another tab. Try again.",
  PROVIDER_UNREACHABLE: "The provider cannot be reached at the moment. Try again shortly.",
  PROVIDER_REFUSED: "The provider refused the log-in. The hub's log tells why.",
  NOT_TRUSTED: "The provider's answer could not be trusted, so nobody was logged in. The hub's log tells why.",
  CLOCKS_DIFFER: "The clocks of the hub and the provider differ by more than a minute. One of them needs to be set.",
  CLAIM_MISSING: "The provider did not tell everything that the hub needs to know about you.",
  EMAIL_UNVERIFIED: "The provider has not verified your e-mail address.",
  DOMAIN_NOT_ALLOWED: "Accounts of your e-mail address's domain may not log in here.",
  NOT_PROVISIONED:
    "Nobody here logs in by this account. Ask an administrator for one, or log in and link it in your profile.",
  EMAIL_TAKEN:
    "Another account here has your e-mail address. If it is yours, log in with it and link this one in your profile.",
  ACCOUNT_DISABLED: "Your account is disabled. Ask an administrator.",
  IDENTITY_TAKEN: "Another user here logs in by this account already.",
  SESSION_ENDED: "Your session ended before the link was made. Log in and try again.",
  TOO_MANY_TRIES: "Too many log-ins from your address. Wait a minute.",
  HUB_TROUBLE: "The hub could not finish the log-in. Its log tells why.",
} as const;

export type SignOnProblem = keyof typeof SIGN_ON_PROBLEMS;

/** The sentence for a code; undefined for anything else that stands in an address. */
export function signOnProblem(code: string | null): string | undefined {
  return code !== null && Object.hasOwn(SIGN_ON_PROBLEMS, code) ? SIGN_ON_PROBLEMS[code as SignOnProblem] : undefined;
}
