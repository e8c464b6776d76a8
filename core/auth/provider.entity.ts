import { defineEntity, p } from "@mikro-orm/core";
import type { ProvisionedRole } from "#contracts/api/sign-on.ts";
import { Site } from "../sites/site.entity.ts";

/** An OpenID provider. There may be several; the page shows the first. */
const ProviderSchema = defineEntity({
  name: "Provider",
  tableName: "provider",
  properties: {
    id: p.uuid().primary(),
    enabled: p.boolean(),
    name: p.string().length(80),
    issuer: p.string().length(500),
    clientId: p.string().length(200),
    /** Encrypted with a key of the data folder; null for a public client. */
    clientSecret: p.text().nullable().hidden(),
    scopes: p.array().columnType("text[]"),
    autoProvision: p.boolean(),
    allowedDomains: p.array().columnType("text[]"),
    roleClaim: p.string().length(200).nullable(),
    roleMapping: p.json<{ value: string; role: ProvisionedRole }[]>(),
    defaultRole: p.string().length(16).$type<ProvisionedRole>(),
    /** Where new accounts become members; null = the default site. */
    provisionedSite: () => p.manyToOne(Site).ref().nullable().deleteRule("set null"),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

export class Provider extends ProviderSchema.class {}
ProviderSchema.setClass(Provider);
