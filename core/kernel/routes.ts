import type { EntityManager } from "@mikro-orm/postgresql";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Permission, Role } from "#contracts/permissions.ts";

/** The HTTP server as the routes of a feature see it: bodies, parameters and replies are zod schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** Who is calling. */
export interface Account {
  readonly userId: string;
  readonly username: string;
  readonly role: Role;
  readonly sessionId: string;
  /** The site that this call is about. */
  readonly siteId: string;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** What the caller needs; `public` asks for nothing. A route without it stops the start. */
    permission?: Permission | "public";
  }
  interface FastifyRequest {
    /** Set on every route that is not public. */
    account: Account;
    /** An entity manager of this request alone, bound to the caller's site. */
    em: EntityManager;
  }
}
