import type { FastifyRequest } from "fastify";
import { SignOnAnswer, SignOnChange } from "#contracts/api/sign-on.ts";
import type { Provider } from "../auth/provider.entity.ts";
import type { Account, App } from "../kernel/routes.ts";
import { changeProvider, findProvider, settingsOf } from "./providers.service.ts";
import { publicAddresses } from "./public-address.ts";
import type { SignOn } from "./sign-on.ts";

/** Which provider log-ins go to. Its name is for everybody, the rest for superusers. */
export function signOnSettingsRoutes(app: App, { database, discoveries, secrets, publicUrl }: SignOn): void {
  app.get(
    "/config/oidc",
    {
      config: { permission: "public", knowsCaller: true },
      schema: { summary: "How to log in by a provider", response: { 200: SignOnAnswer } },
    },
    async (request) => {
      const account = request.account as Account | undefined; // a stranger may ask, too
      const provider = await findProvider(database.fork());
      return answer(request, provider, account?.role === "superuser" && account.sessionId !== null);
    },
  );

  app.put(
    "/config/oidc",
    {
      config: { permission: "hub:manage" },
      schema: {
        summary: "Change the settings for log-ins by a provider; what is left out stays as it is",
        body: SignOnChange,
        response: { 200: SignOnAnswer },
      },
    },
    async (request) => {
      const context = { em: database.fork(), trail: request.trail.in(null), secrets, discoveries };
      return answer(request, await changeProvider(context, request.body, new Date()), true);
    },
  );

  function answer(request: FastifyRequest, provider: Provider | null, isSuperuser: boolean): SignOnAnswer {
    return {
      enabled: provider?.enabled ?? false,
      name: provider?.enabled ? provider.name : null,
      ...publicAddresses(request, publicUrl),
      settings: provider && isSuperuser ? settingsOf(provider) : null,
    };
  }
}
