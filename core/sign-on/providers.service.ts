import { randomUUID } from "node:crypto";
import type { EntityManager } from "@mikro-orm/postgresql";
import type { SignOnChange, SignOnSettings } from "#contracts/api/sign-on.ts";
import { Provider } from "../auth/provider.entity.ts";
import { HubError } from "../kernel/errors.ts";
import type { Trail } from "../kernel/trail.ts";
import type { ClientSecrets } from "./client-secrets.ts";
import type { Discoveries, ProviderAccess } from "./discoveries.ts";
import { outboundErrorOf, reasonsOf } from "./sign-on-refusal.ts";

/** Any number will do: it lets one change of the settings through at a time. */
const SETTINGS_LOCK = 0x50_42_4f_49;

/** Those of a provider that nobody has set up yet. */
const DEFAULTS = {
  enabled: false,
  name: "Single sign-on",
  scopes: ["openid", "profile", "email"],
  autoProvision: false,
  allowedDomains: [],
  roleClaim: null,
  roleMapping: [],
  defaultRole: "viewer",
} as const satisfies Partial<SignOnSettings>;

export interface SettingsContext {
  /** The hub's own. */
  readonly em: EntityManager;
  readonly trail: Trail;
  readonly secrets: ClientSecrets;
  readonly discoveries: Discoveries;
}

/** The provider that the page shows: the first one. */
export async function findProvider(em: EntityManager): Promise<Provider | null> {
  const [first = null] = await em.findAll(Provider, { orderBy: { createdAt: "asc", id: "asc" }, limit: 1 });
  return first;
}

/** @throws HubError ROUTE_NOT_FOUND while nobody may log in by a provider. */
export async function enabledProvider(em: EntityManager): Promise<Provider> {
  const provider = await findProvider(em);
  if (!provider?.enabled) throw new HubError("ROUTE_NOT_FOUND", "There is nothing here: log-ins by a provider are off");
  return provider;
}

export async function accessOf(provider: Provider, secrets: ClientSecrets): Promise<ProviderAccess> {
  const { id, updatedAt, issuer, clientId } = provider;
  const clientSecret = provider.clientSecret ? await secrets.open(id, provider.clientSecret) : null;
  return { id, updatedAt, issuer, clientId, clientSecret };
}

export function settingsOf(provider: Provider): SignOnSettings {
  const { enabled, name, issuer, clientId, scopes, autoProvision, allowedDomains, roleMapping, defaultRole } = provider;
  const rest = { scopes, autoProvision, allowedDomains, roleMapping, defaultRole };
  const clientSecretSet = provider.clientSecret !== null;
  return { enabled, name, issuer, clientId, ...rest, roleClaim: provider.roleClaim ?? null, clientSecretSet };
}

/**
 * Changes the settings of the provider, or makes it. One that is enabled is asked first who it is, so that nobody is sent
 * where no provider is.
 *
 * @throws HubError INVALID_INPUT (issuer, clientId, clientSecret), CONFLICT
 */
export async function changeProvider(context: SettingsContext, change: SignOnChange, now: Date): Promise<Provider> {
  const { em, trail, secrets } = context;
  const before = await findProvider(em.fork());
  const { clientSecret: newSecret, ...fields } = change;
  const issuer = fields.issuer ?? before?.issuer ?? missing("issuer", "The issuer is missing");
  const clientId = fields.clientId ?? before?.clientId ?? missing("clientId", "The client id is missing");
  checkIssuer(issuer);
  if (before?.clientSecret && newSecret === undefined && before.issuer !== issuer)
    throw invalid("clientSecret", "The secret was for another issuer; type the one for this");
  if (fields.enabled ?? before?.enabled) {
    const clientSecret = newSecret === undefined ? await keptSecretOf(before, secrets) : newSecret || null;
    await checkProvider(context.discoveries, { issuer, clientId, clientSecret });
  }
  return await em.transactional(async (em) => {
    await em.execute("select pg_advisory_xact_lock(?)", [SETTINGS_LOCK]);
    const current = await findProvider(em);
    if (current?.updatedAt.getTime() !== before?.updatedAt.getTime())
      throw new HubError("CONFLICT", "The settings were changed meanwhile; look at them again");
    const made = { ...DEFAULTS, id: randomUUID(), issuer, clientId, createdAt: now, updatedAt: now };
    const provider = current ?? em.create(Provider, made);
    Object.assign(provider, fields, { updatedAt: now });
    if (newSecret !== undefined) provider.clientSecret = newSecret ? await secrets.seal(provider.id, newSecret) : null;
    await em.flush();
    const target = { type: "provider", id: provider.id, name: provider.name };
    await trail.write(em, { action: "sign-on.change", target, details: { fields: Object.keys(change) } });
    return provider;
  });
}

/** @see OpenID Connect Discovery 1.0 §2 */
function checkIssuer(issuer: string): void {
  const { username, password, search, hash, pathname } = new URL(issuer);
  if (username !== "" || password !== "") throw invalid("issuer", "The issuer must not hold a user name or a password");
  if (search !== "" || hash !== "") throw invalid("issuer", "The issuer is an address without ? and #");
  if (pathname.includes("/.well-known/"))
    throw invalid(
      "issuer",
      "This is the address of the discovery document; the issuer is what comes before /.well-known/",
    );
}

async function checkProvider(
  discoveries: Discoveries,
  access: Pick<ProviderAccess, "issuer" | "clientId" | "clientSecret">,
): Promise<void> {
  const { configuration } = await discoveries.discover(access).catch((error: unknown) => {
    throw invalid("issuer", whyNotFound(error), error);
  });
  const server = configuration.serverMetadata();
  for (const needed of ["authorization_endpoint", "token_endpoint", "jwks_uri"] as const)
    if (server[needed] === undefined) throw invalid("issuer", `The provider's discovery document names no ${needed}`);
}

function whyNotFound(error: unknown): string {
  const outbound = outboundErrorOf(error);
  if (outbound) return `The issuer's ${outbound.message}`; // which begins with its host
  const { cause } = error as { readonly cause?: { readonly attribute?: string; readonly body?: { issuer?: unknown } } };
  if (cause?.attribute === "issuer") return `The provider calls itself ${String(cause.body?.issuer)}; use exactly that`;
  return `There is no OpenID provider at this address: ${reasonsOf(error)}`;
}

async function keptSecretOf(provider: Provider | null, secrets: ClientSecrets): Promise<string | null> {
  if (!provider) return null;
  try {
    return (await accessOf(provider, secrets)).clientSecret;
  } catch (error) {
    throw invalid("clientSecret", "The secret that was kept cannot be read any more; type it again", error);
  }
}

function missing(field: string, message: string): never {
  throw invalid(field, message);
}

function invalid(field: string, message: string, cause?: unknown): HubError {
  return new HubError("INVALID_INPUT", message, { field, cause });
}
