import { z } from "zod";
import { Instant } from "../instant.ts";
import { Permission, Role } from "../permissions.ts";
import { text } from "../text.ts";
import { ListQuery, page } from "./common.ts";
import { SignOnChange } from "./sign-on.ts";
import { SiteRef } from "./sites.ts";

/** Two names that look the same are one: letters in their usual form, and of one script. */
export const Username = z
  .string()
  .trim()
  .overwrite((name) => name.normalize("NFKC"))
  .min(3, "is shorter than 3 characters")
  .max(50, "is longer than 50 characters")
  .regex(/^[\p{L}\p{N}._@-]+$/u, "may hold letters, digits and . _ @ -")
  .refine(hasOneScript, "mixes letters of several scripts");

function hasOneScript(name: string): boolean {
  const scripts = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u, /\p{Script=Armenian}/u];
  return scripts.filter((script) => script.test(name)).length <= 1;
}

const Password = z.string().max(500);
const Email = z.email().max(254).nullable();
const FullName = text(120).trim().nullable();

export const SetupStatus = z.object({ complete: z.boolean() });

export const SetupInit = z
  .object({
    setupCode: z.string().trim().min(1, "is empty").max(200),
    username: Username,
    password: Password,
    email: Email.default(null),
    fullName: FullName.default(null),
    oidc: SignOnChange.optional().describe("how to log in by a provider, too"),
  })
  .strict();
export type SetupInit = z.infer<typeof SetupInit>;

export const Login = z.object({ username: text(200), password: Password }).strict();
export type Login = z.infer<typeof Login>;

export const UserAnswer = z.object({
  id: z.uuid(),
  username: z.string(),
  email: z.string().nullable(),
  fullName: z.string().nullable(),
  role: Role.nullable().describe("in the site of the call; null = none there"),
  enabled: z.boolean(),
  mustChangePassword: z.boolean().describe("until it is changed, nothing but the account itself is within reach"),
  createdAt: Instant,
  lastLoginAt: Instant.nullable(),
});
export type UserAnswer = z.infer<typeof UserAnswer>;

/** What the role `user` sees of others. */
export const UserName = z.object({ id: z.uuid(), username: z.string(), fullName: z.string().nullable() });
export type UserName = z.infer<typeof UserName>;

export const UserList = page(UserAnswer);
export const UserNameList = page(UserName);

export const UserQuery = ListQuery.extend({
  role: Role.optional(),
  enabled: z
    .enum(["true", "false"])
    .transform((value) => value === "true")
    .optional(),
});
export type UserQuery = z.infer<typeof UserQuery>;

/** An account has a password, an imported bcrypt hash of one, or neither: then it logs in by a provider. */
export const UserCreate = z
  .object({
    username: Username,
    password: Password.optional(),
    passwordHash: z
      .string()
      .regex(/^\$2[aby]\$(0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}$/, "is not a bcrypt hash with a cost of 4 to 14")
      .optional()
      .describe("a bcrypt hash from elsewhere; replaced by argon2id at the next log-in"),
    email: Email.default(null),
    fullName: FullName.default(null),
    role: Role.default("user"),
    enabled: z.boolean().default(true),
    mustChangePassword: z.boolean().default(false),
  })
  .strict()
  .refine((user) => user.password === undefined || user.passwordHash === undefined, {
    path: ["passwordHash"],
    message: "stands beside a password; only one of them can count",
  });
export type UserCreate = z.infer<typeof UserCreate>;

export const UserChange = z
  .object({
    email: Email,
    fullName: FullName,
    role: Role.nullable().describe("in the site of the call; null takes the user out of it"),
    enabled: z.boolean(),
    password: Password,
    mustChangePassword: z.boolean(),
  })
  .partial()
  .strict();
export type UserChange = z.infer<typeof UserChange>;

export const UserDeleteQuery = z
  .object({
    heir: z.uuid().optional().describe("who gets the user's devices and clusters; without one nobody owns them"),
  })
  .strict();

/** The account that calls. */
export const MeAnswer = UserAnswer.extend({
  site: SiteRef.nullable().describe("the site of this call"),
  sites: z.array(SiteRef.extend({ role: Role })).describe("every site that the account belongs to"),
  permissions: z.array(Permission).describe("in the site of this call"),
  hasPassword: z.boolean(),
});
export type MeAnswer = z.infer<typeof MeAnswer>;

export const MeChange = z
  .object({
    email: Email,
    fullName: FullName,
    password: Password.describe("a change ends the account's other sessions"),
    currentPassword: Password.describe("needed where a password is changed that exists"),
  })
  .partial()
  .strict();
export type MeChange = z.infer<typeof MeChange>;

export const LoginAnswer = z.object({
  access_token: z.string(),
  token_type: z.literal("bearer"),
  expires_in: z.int().describe("seconds"),
  user: UserAnswer,
});

export const LogoutAnswer = z.object({
  logoutUrl: z.string().nullable().describe("where a browser goes to end the session at the provider, too"),
});

export const SessionAnswer = z.object({
  id: z.uuid(),
  current: z.boolean(),
  address: z.string().nullable(),
  userAgent: z.string().nullable(),
  createdAt: Instant,
  lastUsedAt: Instant,
  expiresAt: Instant,
});
export type SessionAnswer = z.infer<typeof SessionAnswer>;

export const SessionList = page(SessionAnswer);

/** An account at a provider that logs in as this one. */
export const IdentityAnswer = z.object({
  id: z.uuid(),
  provider: z.string(),
  issuer: z.string(),
  email: z.string().nullable(),
  createdAt: Instant,
  lastLoginAt: Instant.nullable(),
});
export type IdentityAnswer = z.infer<typeof IdentityAnswer>;

export const IdentityList = page(IdentityAnswer);

export const IdentityLinkAnswer = z.object({ url: z.url().describe("where the browser goes on") });
