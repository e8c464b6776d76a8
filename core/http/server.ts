import cookie from "@fastify/cookie";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import Fastify, { type FastifyBaseLogger, type FastifyError, type FastifyRequest } from "fastify";
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
} from "fastify-type-provider-zod";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { z } from "zod";
import { networkOf } from "#contracts/network.ts";
import { SITE_HEADER } from "#contracts/api/sites.ts";
import { SESSION_COOKIE } from "../auth/session-cookie.ts";
import type { Database } from "../kernel/database.ts";
import { HubError } from "../kernel/errors.ts";
import type { Account, App } from "../kernel/routes.ts";
import { StartError } from "../kernel/start-error.ts";
import { type AdmissionOptions, admit, recognize } from "./admission.ts";
import { asyncApiDocument } from "./asyncapi.ts";
import { adaptToIngress, basePathOf } from "./ingress.ts";
import { inputWords } from "./input-words.ts";
import { servePage } from "./page.ts";
import { answerProblem } from "./problem.ts";

/** A body is at most this large; the largest honest one names some thousand members of a cluster. */
const BODY_LIMIT_BYTES = 1024 * 1024;
const CALLS_PER_MINUTE = 600;
/** The page brings everything along: no inline script or style, nothing from elsewhere. */
const PAGE_CSP = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'"],
  connectSrc: ["'self'"],
  manifestSrc: ["'self'"],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
  requireTrustedTypesFor: ["'script'"],
  trustedTypes: ["lit-html"],
};
const DOCS_CSP =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'";
/** Where no hook has run that sets all of them. */
const BARE_HEADERS = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};
/** Browsers that came by TLS once come by TLS for a year. */
const HSTS = "max-age=31536000";

z.config({ customError: inputWords });

export interface HttpOptions extends AdmissionOptions {
  readonly database: Database;
  readonly version: string;
  readonly baseTopic: string;
  readonly discoveryPrefix: string;
  readonly trustProxy: readonly string[];
  /** Of one account, or of a stranger's address; 600 unless said otherwise. */
  readonly callsPerMinute?: number | undefined;
  /** A change may have been made although its caller was told that the database does not answer. */
  readonly onDoubt?: () => void;
  readonly log: Logger;
}

/**
 * The HTTP server with everything that all routes share. A route under `/api` says which permission it needs;
 * one that does not stops the start.
 */
export async function createHttpServer(options: HttpOptions): Promise<App> {
  const app = Fastify({
    loggerInstance: requestLog(options.log),
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: options.trustProxy.length > 0 ? [...options.trustProxy] : false,
    genReqId: () => randomUUID(),
    routerOptions: { ignoreTrailingSlash: true },
    requestTimeout: 30_000,
    // a path that cannot be read, before any route is asked
    frameworkErrors: (_error, request, reply) => {
      void reply.headers({ ...BARE_HEADERS, "x-request-id": request.id });
      answerProblem(new HubError("ROUTE_NOT_FOUND", "There is nothing at this path"), request, reply);
    },
    forceCloseConnections: true,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error: FastifyError, request, reply) => answerProblem(error, request, reply));
  app.setNotFoundHandler((request) => {
    throw new HubError("ROUTE_NOT_FOUND", `There is nothing at ${request.method} ${request.url.split("?", 1)[0]}`);
  });
  app.decorate("onDoubt", options.onDoubt);
  app.decorateRequest("account");
  app.decorateRequest("refusal");
  app.decorateRequest("trail");
  app.decorateRequest("boundEm");
  app.decorateRequest("em", {
    getter(this: FastifyRequest) {
      return (this.boundEm ??= options.database.bound(this.account.siteId));
    },
  });
  app.addHook("onRoute", (route) => {
    if (route.url.startsWith("/api/docs")) return; // the page of the document; the library brings its routes
    if (!route.config?.permission)
      throw new Error(`The route ${String(route.method)} ${route.url} names no permission`);
  });

  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: PAGE_CSP,
    },
    hsts: false, // behind TLS alone, below
    frameguard: { action: "deny" },
    // browsers take these two over TLS only, and complain in their console without it
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  });
  await app.register(cookie);
  app.addHook("onRequest", async (request, reply) => {
    void reply.header("x-request-id", request.id);
    if (request.protocol === "https") void reply.header("strict-transport-security", HSTS);
    await recognize(request, reply, options);
  });
  adaptToIngress(app);
  await app.register(rateLimit, {
    max: options.callsPerMinute ?? CALLS_PER_MINUTE,
    timeWindow: "1 minute",
    // onRequest has found out who calls, or that nobody known does
    keyGenerator: (request) => (request.account as Account | undefined)?.userId ?? networkOf(request.ip),
    errorResponseBuilder: (_request, { after }) =>
      new HubError("TOO_MANY_REQUESTS", `Too many requests; try again in ${after}`),
  });
  // behind the limiter, so that refused calls count, too
  app.addHook("preParsing", async (request) => admit(request));
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "PowerBeacon",
        version: options.version,
        description:
          "One switch for every machine you own. Errors are problem details (RFC 9457). On a hub with several sites the " +
          `header ${SITE_HEADER} names the site of a call by its key; without it, it is the first of the account.`,
      },
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer" },
          cookie: { type: "apiKey", in: "cookie", name: SESSION_COOKIE },
        },
      },
      security: [{ bearer: [] }, { cookie: [] }],
    },
    transform: describedRoute,
    transformObject: jsonSchemaTransformObject,
  });
  await app.register(swaggerUi, {
    routePrefix: "/api/docs",
    staticCSP: true,
    transformStaticCSP: () => DOCS_CSP,
    transformSpecification: (document, request) => ({ ...document, ...serversOf(request) }),
    theme: { title: "PowerBeacon API" },
    uiConfig: { docExpansion: "list", layout: "BaseLayout" },
  });
  app.get("/api/openapi.json", { config: { permission: "public" }, schema: { hide: true } }, async () => app.swagger());
  const asyncApi = asyncApiDocument(options);
  app.get("/api/asyncapi.json", { config: { permission: "public" }, schema: { hide: true } }, async () => asyncApi);
  await servePage(app);
  return app;
}

/** Fastify writes two lines for each request at info: too many for an operator, right for a developer. */
function requestLog(log: Logger): FastifyBaseLogger {
  return log.child(
    { part: "http" },
    { level: log.isLevelEnabled("info") && !log.isLevelEnabled("debug") ? "warn" : log.level },
  );
}

/** Below a path the page of the document has to be told where the API stands. */
function serversOf(request: FastifyRequest): { servers?: { url: string }[] } {
  const path = basePathOf(request);
  return path === "" ? {} : { servers: [{ url: path }] };
}

/** Groups the routes by their first word, and says which need no log-in. */
const describedRoute: typeof jsonSchemaTransform = (route) => {
  const described = jsonSchemaTransform(route);
  const [, word = "hub"] = /^\/api\/([^/]+)/.exec(route.url) ?? [];
  const isPublic = route.route.config?.permission === "public";
  const tags = [word];
  return { ...described, schema: { ...described.schema, tags, ...(isPublic && { security: [] }) } };
};

/** Opens the port. @throws StartError when it is taken or may not be opened. */
export async function listen(app: App, { host, port }: { host: string; port: number }): Promise<number> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE")
      throw new StartError(`The HTTP port ${port} is taken by another program. Set HTTP_PORT to a free one.`, {
        cause: error,
      });
    throw new StartError(`The HTTP port ${port} could not be opened: ${message}`, { cause: error });
  }
  const address = app.server.address();
  return typeof address === "object" && address ? address.port : port;
}
