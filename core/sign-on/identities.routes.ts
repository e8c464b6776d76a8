import { z } from "zod";
import { type IdentityAnswer, IdentityLinkAnswer, IdentityList } from "#contracts/api/accounts.ts";
import { IdParams } from "#contracts/api/common.ts";
import { chainOfAccount } from "../auth/accounts.ts";
import { Identity } from "../auth/identity.entity.ts";
import { HubError } from "../kernel/errors.ts";
import type { App } from "../kernel/routes.ts";
import { unlinkIdentity } from "./identities.service.ts";
import { enabledProvider } from "./providers.service.ts";
import { SignOnRefusal, problemOf, reasonsOf } from "./sign-on-refusal.ts";
import { type SignOn, sendToProvider } from "./sign-on.ts";

/** Where links begin and end on the page. */
const PROFILE_PAGE = "/settings/profile";

/** The accounts at providers that log in as the caller. */
export function identityRoutes(app: App, signOn: SignOn): void {
  const { database, accounts } = signOn;

  app.get(
    "/auth/identities",
    {
      config: { permission: "self" },
      schema: { summary: "List the accounts at providers that log in as this one", response: { 200: IdentityList } },
    },
    async (request) => {
      const of = { user: request.account.userId };
      const rows = await database.fork().find(Identity, of, { populate: ["provider"], orderBy: { createdAt: "asc" } });
      return { items: rows.map(answerOf), next: null, total: rows.length };
    },
  );

  app.post(
    "/auth/identities",
    {
      config: { permission: "self" },
      schema: { summary: "Begin to link an account at the provider", response: { 200: IdentityLinkAnswer } },
    },
    async (request, reply) => {
      const { userId, sessionId } = request.account;
      if (sessionId === null) throw new HubError("TOKEN_NOT_ALLOWED", "A link needs a session");
      const provider = await enabledProvider(database.fork());
      const start = { returnTo: PROFILE_PAGE, link: { userId, sessionId } };
      try {
        return { url: await sendToProvider(signOn, provider, { request, reply }, start) };
      } catch (error) {
        if (problemOf(error) === "HUB_TROUBLE") throw error;
        const { message } = new SignOnRefusal(problemOf(error));
        request.log.warn({ reason: reasonsOf(error) }, "the provider could not be asked who it is");
        throw new HubError("PROVIDER_UNAVAILABLE", message, { cause: error });
      }
    },
  );

  app.delete(
    "/auth/identities/:id",
    {
      config: { permission: "self" },
      schema: {
        summary: "Unlink an account at a provider",
        params: IdParams,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { userId } = request.account;
      const account = accounts.byId(userId);
      const trail = request.trail.in(account ? chainOfAccount(account) : null);
      await unlinkIdentity({ em: database.fork(), trail }, userId, request.params.id);
      return reply.code(204).send(null);
    },
  );
}

function answerOf(identity: Identity): IdentityAnswer {
  return {
    id: identity.id,
    provider: identity.provider.unwrap().name,
    issuer: identity.issuer,
    email: identity.email ?? null,
    createdAt: identity.createdAt.toISOString(),
    lastLoginAt: identity.lastLoginAt?.toISOString() ?? null,
  };
}
