import { defineEntity, p } from "@mikro-orm/core";
import { User } from "./user.entity.ts";

/** One login. The row is what counts: without it the token that names it is worth nothing. */
const SessionSchema = defineEntity({
  name: "Session",
  tableName: "session",
  properties: {
    id: p.uuid().primary(),
    user: () => p.manyToOne(User).ref().deleteRule("cascade").index(),
    createdAt: p.datetime(),
    lastUsedAt: p.datetime(),
    expiresAt: p.datetime().index(),
    address: p.string().length(64).nullable(),
    userAgent: p.string().length(200).nullable(),
    /** The provider that the login came by; a log-out ends its session, too. */
    providerId: p.uuid().nullable(),
  },
});

export class Session extends SessionSchema.class {}
SessionSchema.setClass(Session);
