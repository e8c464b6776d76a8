import { defineEntity, p } from "@mikro-orm/core";
import type { Role } from "#contracts/permissions.ts";

/** A person's account. The password is kept as argon2id. */
const UserSchema = defineEntity({
  name: "User",
  tableName: "user",
  properties: {
    id: p.uuid().primary(),
    username: p.string().length(50),
    email: p.string().length(254).nullable(),
    fullName: p.string().length(120).nullable(),
    role: p.string().length(16).$type<Role>(),
    enabled: p.boolean().default(true),
    passwordHash: p.text().hidden(),
    createdAt: p.datetime(),
    lastLoginAt: p.datetime().nullable(),
  },
  uniques: [
    {
      name: "user_username_unique",
      expression: 'create unique index "user_username_unique" on "user" (lower("username"))',
    },
  ],
});

export class User extends UserSchema.class {}
UserSchema.setClass(User);
