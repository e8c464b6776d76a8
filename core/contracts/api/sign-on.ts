import { z } from "zod";
import { Role } from "../permissions.ts";
import { Name } from "./common.ts";

/** Roles that a provider may give. A superuser is made by a superuser. */
export const ProvisionedRole = Role.exclude(["superuser"]);
export type ProvisionedRole = z.infer<typeof ProvisionedRole>;

const fields = {
  enabled: z.boolean(),
  name: Name.describe("what the button says: Log in with …"),
  issuer: z
    .url({ protocol: /^https?$/, error: "is not an http:// or https:// address" })
    .max(500)
    .describe("the provider's issuer, as its discovery document spells it"),
  clientId: z.string().trim().min(1, "is empty").max(200),
  scopes: z.array(z.string().trim().min(1).max(100)).max(20).describe("`openid` is always asked for"),
  autoProvision: z.boolean().describe("whether somebody unknown gets an account at the first log-in"),
  allowedDomains: z
    .array(z.string().trim().toLowerCase().min(1).max(253))
    .max(50)
    .describe("e-mail domains of new accounts; empty = any"),
  roleClaim: z.string().trim().min(1).max(200).nullable().describe("the claim that decides the role; null = none does"),
  roleMapping: z
    .array(z.object({ value: z.string().trim().min(1).max(200), role: ProvisionedRole }).strict())
    .max(50)
    .describe("the first value that the claim holds counts"),
  defaultRole: ProvisionedRole,
};

/** The settings of the provider. The secret is written, never read. */
export const SignOnSettings = z.object({ ...fields, clientSecretSet: z.boolean() });
export type SignOnSettings = z.infer<typeof SignOnSettings>;

export const SignOnChange = z
  .object({ ...fields, clientSecret: z.string().max(500).nullable() })
  .partial()
  .strict();
export type SignOnChange = z.infer<typeof SignOnChange>;

/** What the log-in page needs; the settings are for superusers, null for everybody else. */
export const SignOnAnswer = z.object({
  enabled: z.boolean(),
  name: z.string().nullable(),
  redirectUri: z.string().describe("what to enter at the provider, for log-ins"),
  logoutRedirectUri: z.string().describe("what to enter at the provider, for log-outs"),
  settings: SignOnSettings.nullable(),
});
export type SignOnAnswer = z.infer<typeof SignOnAnswer>;
