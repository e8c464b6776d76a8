import { defineEntity, p } from "@mikro-orm/core";
import { Provider } from "./provider.entity.ts";
import { User } from "./user.entity.ts";

/** Somebody at a provider who logs in as a user. Issuer and `sub` alone say who it is: names and e-mail addresses are anybody's. */
const IdentitySchema = defineEntity({
  name: "Identity",
  tableName: "identity",
  properties: {
    id: p.uuid().primary(),
    user: () => p.manyToOne(User).ref().deleteRule("cascade").index(),
    provider: () => p.manyToOne(Provider).ref().deleteRule("cascade").index(),
    issuer: p.string().length(500),
    subject: p.string().length(255),
    email: p.string().length(254).nullable(),
    createdAt: p.datetime(),
    lastLoginAt: p.datetime().nullable(),
  },
  uniques: [{ properties: ["issuer", "subject"], name: "identity_subject_unique" }],
});

export class Identity extends IdentitySchema.class {}
IdentitySchema.setClass(Identity);
