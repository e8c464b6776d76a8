import { defineEntity, p } from "@mikro-orm/core";

/** A person's account, on the whole hub. What it may do in a site stands in its memberships. */
const UserSchema = defineEntity({
  name: "User",
  tableName: "user",
  properties: {
    id: p.uuid().primary(),
    username: p.string().length(50),
    email: p.string().length(254).nullable(),
    fullName: p.string().length(120).nullable(),
    superuser: p.boolean().default(false),
    enabled: p.boolean().default(true),
    /** argon2id; bcrypt for an imported account until its next log-in; null for one that logs in by a provider alone. */
    passwordHash: p.text().nullable().hidden(),
    mustChangePassword: p.boolean().default(false),
    createdAt: p.datetime(),
    lastLoginAt: p.datetime().nullable(),
  },
  uniques: [
    {
      name: "user_username_unique",
      expression: 'create unique index "user_username_unique" on "user" (lower("username"))',
    },
    {
      name: "user_email_unique",
      expression: 'create unique index "user_email_unique" on "user" (lower("email"))',
    },
  ],
});

export class User extends UserSchema.class {}
UserSchema.setClass(User);
