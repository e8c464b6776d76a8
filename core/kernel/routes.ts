import type { EntityManager } from "@mikro-orm/postgresql";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Actor, Permission } from "#contracts/permissions.ts";
import type { Trail } from "./trail.ts";

/** The HTTP server as the routes of a feature see it: bodies, parameters and replies are zod schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** Who is calling, as what, and about which site. */
export interface Account extends Actor {
  readonly username: string;
  /** Null for a personal token. */
  readonly sessionId: string | null;
  readonly tokenId: string | null;
  /** The site that this call is about. */
  readonly siteId: string;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** What the caller needs; `public` asks for nothing. A route without it stops the start. */
    permission?: Permission | "public";
    /** On a public route: whoever is logged in is known all the same, in `account`. */
    knowsCaller?: boolean;
  }
  interface FastifyInstance {
    onDoubt?: (() => void) | undefined;
  }
  interface FastifyRequest {
    /** Set on every route that is not public; on public ones that want to know the caller, where there is one. */
    account: Account;
    /** Why the caller is not let in. */
    refusal: Error | undefined;
    /** What `em` hands out, once it was asked for. */
    boundEm: EntityManager | undefined;
    /** An entity manager of this request alone, bound to the caller's site. Public routes have none: they say what they reach for. */
    em: EntityManager;
    /** The audit log, under the caller's name; under `stranger` on public routes. */
    trail: Trail;
  }
}
