import { defineEntity, p } from "@mikro-orm/core";
import type { TokenPermission } from "#contracts/permissions.ts";
import { siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { Site } from "../sites/site.entity.ts";
import { User } from "./user.entity.ts";

/** A personal token, for scripts and MQTT clients of one user in one site. High entropy, so SHA-256 keeps it. */
const TokenSchema = defineEntity({
  name: "Token",
  tableName: "token",
  properties: {
    id: p.uuid().primary(),
    site: () => p.manyToOne(Site).ref().deleteRule("cascade"),
    user: () => p.manyToOne(User).ref().deleteRule("cascade").index(),
    name: p.string().length(80),
    /** How the token begins: finds the row, gives no access. */
    prefix: p.string().length(16).unique(),
    tokenHash: p.string().length(64).hidden(),
    permissions: p.array().$type<TokenPermission[]>().columnType("text[]"),
    createdAt: p.datetime(),
    expiresAt: p.datetime().nullable(),
    lastUsedAt: p.datetime().nullable(),
    lastAddress: p.string().length(64).nullable(),
  },
  filters: siteFilter,
  ...sitePolicies("token"),
  indexes: [{ properties: ["site", "user"] }],
});

export class Token extends TokenSchema.class {}
TokenSchema.setClass(Token);
