import { EncryptJWT, jwtDecrypt } from "jose";
import { randomBytes } from "node:crypto";
import { z } from "zod";

export const FLOW_SECONDS = 600;
/** More finished flows than this within ten minutes: the oldest is forgotten. */
const MAX_USED = 10_000;

/** A log-in, or the link of an account, between its start and the provider's answer. */
const Flow = z.object({
  providerId: z.uuid(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  redirectUri: z.string(),
  returnTo: z.string(),
  /** Who links an account, in which session; null for a log-in. */
  link: z.object({ userId: z.uuid(), sessionId: z.uuid() }).nullable(),
});
export type Flow = z.infer<typeof Flow>;

/**
 * Flows are kept by the browser that began them, in a cookie that it can neither read nor change: the key is made at each
 * start and never leaves the process. Each can be finished once.
 */
export class Flows {
  readonly #key = randomBytes(32);
  readonly #used = new Map<string, Date>();

  seal(flow: Flow, now: Date): Promise<string> {
    return new EncryptJWT({ ...flow })
      .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
      .setExpirationTime(new Date(now.getTime() + FLOW_SECONDS * 1_000))
      .encrypt(this.#key);
  }

  /** The flow in a cookie, which is over with this; undefined where it is too old, was finished or is not ours. */
  async finish(cookie: string, now: Date): Promise<Flow | undefined> {
    const flow = await this.#open(cookie, now);
    if (!flow || this.#used.has(flow.state)) return undefined;
    for (const [state, endedAt] of this.#used)
      if (this.#used.size >= MAX_USED || now.getTime() - endedAt.getTime() > FLOW_SECONDS * 1_000)
        this.#used.delete(state);
    this.#used.set(flow.state, now);
    return flow;
  }

  async #open(cookie: string, now: Date): Promise<Flow | undefined> {
    try {
      const { payload } = await jwtDecrypt(cookie, this.#key, {
        keyManagementAlgorithms: ["dir"],
        contentEncryptionAlgorithms: ["A256GCM"],
        requiredClaims: ["exp"],
        currentDate: now,
      });
      return Flow.parse(payload);
    } catch {
      return undefined; // of an earlier start, changed or expired: all the same, the log-in begins anew
    }
  }
}
