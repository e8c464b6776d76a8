import {
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  None,
  allowInsecureRequests,
  clockTolerance,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
} from "openid-client";
import type { Outbound } from "../kernel/outbound.ts";

/** A provider as the hub needs it to speak with it. */
export interface ProviderAccess {
  readonly id: string;
  readonly updatedAt: Date;
  readonly issuer: string;
  readonly clientId: string;
  /** As the provider knows it; null for a public client. */
  readonly clientSecret: string | null;
}

/** Clocks may differ so much. Seconds. */
const CLOCK_TOLERANCE = 60;
const LIFETIME_MS = 3_600_000;
/** After a failure a provider is left alone for so long. */
const PAUSE_MS = 10_000;
const MAX_ENTRIES = 20;

/** A provider that was asked what it is. */
export interface DiscoveredProvider {
  readonly configuration: Configuration;
  /** Shows the client's secret in the other way from now on: providers name ways that they then refuse. */
  showSecretOtherwise(): void;
}

interface Entry {
  readonly found: Promise<DiscoveredProvider>;
  untilMs: number;
}

/** What providers say of themselves, asked once an hour and only once at a time. */
export class Discoveries {
  readonly #outbound: Outbound;
  readonly #pauseMs: number;
  readonly #entries = new Map<string, Entry>();

  constructor(outbound: Outbound, { pauseMs = PAUSE_MS } = {}) {
    this.#outbound = outbound;
    this.#pauseMs = pauseMs;
  }

  /** Fails as `discover` does; again without asking for a while after a failure. */
  of(provider: ProviderAccess): Promise<DiscoveredProvider> {
    const key = `${provider.id} ${provider.updatedAt.toISOString()}`; // settings that change are asked for anew
    const known = this.#entries.get(key);
    if (known && performance.now() < known.untilMs) return known.found;
    const entry = { found: this.discover(provider), untilMs: performance.now() + LIFETIME_MS };
    entry.found.catch(() => (entry.untilMs = performance.now() + this.#pauseMs));
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > MAX_ENTRIES)
      for (const oldest of this.#entries.keys().take(1)) this.#entries.delete(oldest);
    return entry.found;
  }

  /** Asks the provider. Fails with the errors of openid-client and OutboundError. */
  async discover(provider: Pick<ProviderAccess, "issuer" | "clientId" | "clientSecret">): Promise<DiscoveredProvider> {
    const { issuer, clientId, clientSecret } = provider;
    this.#outbound.check(issuer);
    const secret = new SecretForms(clientSecret);
    const configuration = await discovery(
      new URL(issuer),
      clientId,
      { [clockTolerance]: CLOCK_TOLERANCE },
      secret.show,
      {
        [customFetch]: this.#fetch,
        // a signature is checked even where TLS would vouch for the provider
        execute: [enableNonRepudiationChecks, ...(this.#outbound.isExempt(issuer) ? [allowInsecureRequests] : [])],
      },
    );
    return { configuration, showSecretOtherwise: () => secret.turn() };
  }

  readonly #fetch = (
    url: string,
    { method, headers, body }: { method: string; headers: Record<string, string>; body?: unknown },
  ): Promise<Response> => {
    const text = body instanceof URLSearchParams ? body.toString() : typeof body === "string" ? body : undefined;
    return this.#outbound.fetch(url, { method, headers, body: text });
  };
}

/** The two ways in which a client may show its secret. The first is what a provider means that names none. */
class SecretForms {
  readonly #forms: readonly ClientAuth[];
  #turns = 0;

  constructor(secret: string | null) {
    this.#forms = secret === null ? [None()] : [ClientSecretBasic(secret), ClientSecretPost(secret)];
  }

  readonly show: ClientAuth = (server, client, body, headers) => {
    const { token_endpoint_auth_methods_supported: named = ["client_secret_basic"] } = server;
    const first = named.includes("client_secret_basic") || !named.includes("client_secret_post") ? 0 : 1;
    this.#forms[(first + this.#turns) % this.#forms.length]?.(server, client, body, headers);
  };

  turn(): void {
    this.#turns++;
  }
}
