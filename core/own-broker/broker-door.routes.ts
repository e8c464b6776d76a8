import type { FastifyReply, FastifyRequest } from "fastify";
import {
  EmqxAuthenticate,
  EmqxAuthenticated,
  EmqxAuthorize,
  EmqxAuthorized,
  GoAuthAcl,
  GoAuthAnswer,
  GoAuthSuperuser,
  GoAuthUser,
} from "#contracts/api/mqtt-auth.ts";
import { HubError } from "../kernel/errors.ts";
import type { App } from "../kernel/routes.ts";
import { equalHashes, hashToken } from "../kernel/tokens.ts";
import type { BrokerDoor, Question } from "./broker-door.ts";

export interface BrokerDoorRoutes {
  readonly door: BrokerDoor;
  /** What a broker shows when it asks; null = none may. */
  readonly secret: string | null;
}

const description = "The broker shows MQTT_AUTH_SECRET as a bearer token, or as a password with any user name.";
/** One broker asks for all of its clients: as often as they come, from one address. */
const config = { permission: "public", rateLimit: false } as const;

const FORM = "application/x-www-form-urlencoded";

/** The questions of EMQX, and of Mosquitto with mosquitto-go-auth. */
export async function brokerDoorRoutes(api: App, { door, secret }: BrokerDoorRoutes): Promise<void> {
  await api.register(async (plugin) => {
    const app = plugin as unknown as App; // a child of the same server, whose hook and parser are for these routes alone
    const secretHash = secret === null ? null : hashToken(secret);
    app.addHook("onRequest", async (request) => checkBroker(request, secretHash));
    app.removeContentTypeParser(FORM); // the log-in has one for itself
    app.addContentTypeParser(FORM, { parseAs: "string" }, (_request, body, done) =>
      done(null, Object.fromEntries(new URLSearchParams(String(body)))),
    );
    emqxRoutes(app, door);
    goAuthRoutes(app, door);
  });
}

function emqxRoutes(app: App, door: BrokerDoor): void {
  app.post(
    "/mqtt/authenticate",
    {
      config,
      schema: {
        summary: "EMQX asks who a client is",
        description,
        body: EmqxAuthenticate,
        response: { 200: EmqxAuthenticated },
      },
    },
    async ({ body }) => {
      const username = body.username ?? null;
      const { password = null, clientid, peerhost = null } = body;
      const result = door.authenticate({ username, password, clientId: clientid ?? "", address: peerhost });
      return { result, is_superuser: result === "allow" && door.isHub(username) };
    },
  );

  app.post(
    "/mqtt/authorize",
    {
      config,
      schema: {
        summary: "EMQX asks what a client may do",
        description,
        body: EmqxAuthorize,
        response: { 200: EmqxAuthorized },
      },
    },
    async ({ body }) => {
      const { username = null, clientid, topic } = body;
      // EMQX looks at a subscription once, and at none of its messages
      const action = body.action === "publish" ? "publish" : "hold unasked";
      const retain = body.retain === undefined || body.retain === null ? null : String(body.retain) === "true";
      return { result: door.authorize({ username, clientId: clientid ?? "", topic, action, retain }) };
    },
  );
}

/** The bits of `acc`. Mosquitto asks about each message before it forwards it. */
const ACTIONS: Readonly<Record<number, readonly Question["action"][]>> = {
  1: ["read"],
  2: ["publish"],
  3: ["read", "publish"],
  4: ["hold"],
};

function goAuthRoutes(app: App, door: BrokerDoor): void {
  const response = { 200: GoAuthAnswer, 403: GoAuthAnswer };

  app.post(
    "/mqtt/go-auth/user",
    { config, schema: { summary: "mosquitto-go-auth asks who a client is", description, body: GoAuthUser, response } },
    async ({ body }, reply) => {
      const { username = null, password = null, clientid } = body;
      const verdict = door.authenticate({ username, password, clientId: clientid ?? "", address: null });
      return answer(reply, verdict === "allow");
    },
  );

  app.post(
    "/mqtt/go-auth/superuser",
    {
      config,
      schema: { summary: "mosquitto-go-auth asks who may do all", description, body: GoAuthSuperuser, response },
    },
    async ({ body }, reply) => answer(reply, door.isHub(body.username ?? null)),
  );

  app.post(
    "/mqtt/go-auth/acl",
    {
      config,
      schema: { summary: "mosquitto-go-auth asks what a client may do", description, body: GoAuthAcl, response },
    },
    async ({ body }, reply) => {
      const { username = null, clientid, topic, acc } = body;
      const about = { username, clientId: clientid ?? "", topic, retain: null };
      const actions = ACTIONS[acc] ?? [];
      const mayAll = actions.every((action) => door.authorize({ ...about, action }) === "allow");
      return answer(reply, actions.length > 0 && mayAll);
    },
  );
}

/** Both modes of the plug-in at once: one looks at the status, the other at the body of a good one. */
function answer(reply: FastifyReply, ok: boolean) {
  return reply.code(ok ? 200 : 403).send({ ok, error: ok ? "" : "not allowed" });
}

/** @throws HubError ROUTE_NOT_FOUND where no broker may ask, UNAUTHENTICATED where the secret is not the one. */
function checkBroker(request: FastifyRequest, secretHash: string | null): void {
  if (secretHash === null)
    throw new HubError("ROUTE_NOT_FOUND", "There is nothing here unless MQTT_AUTH_SECRET is set");
  const shown = secretIn(request.headers.authorization ?? "");
  if (shown === undefined || !equalHashes(hashToken(shown), secretHash))
    throw new HubError(
      "UNAUTHENTICATED",
      "Show MQTT_AUTH_SECRET as a bearer token, or as a password with any user name",
    );
}

function secretIn(authorization: string): string | undefined {
  const [, scheme = "", value = ""] = /^(\S+) +(\S+)$/.exec(authorization) ?? [];
  if (/^bearer$/i.test(scheme)) return value;
  if (!/^basic$/i.test(scheme)) return undefined;
  const pair = Buffer.from(value, "base64").toString("utf8");
  return pair.includes(":") ? pair.slice(pair.indexOf(":") + 1) : undefined;
}
