import { z } from "zod";
import { Instant } from "../instant.ts";
import { Role } from "../permissions.ts";
import { text } from "../text.ts";

export const Username = z
  .string()
  .trim()
  .min(3, "is shorter than 3 characters")
  .max(50, "is longer than 50 characters")
  .regex(/^[\p{L}\p{N}._@-]+$/u, "may hold letters, digits and . _ @ -");

export const SetupStatus = z.object({ complete: z.boolean() });

export const SetupInit = z
  .object({
    setupCode: z.string().trim().min(1, "is empty").max(200),
    username: Username,
    password: z.string().max(500),
    email: z.email().max(254).nullable().default(null),
    fullName: text(120).trim().nullable().default(null),
  })
  .strict();
export type SetupInit = z.infer<typeof SetupInit>;

export const Login = z.object({ username: text(200), password: z.string().max(500) }).strict();
export type Login = z.infer<typeof Login>;

export const UserAnswer = z.object({
  id: z.uuid(),
  username: z.string(),
  email: z.string().nullable(),
  fullName: z.string().nullable(),
  role: Role,
  enabled: z.boolean(),
  createdAt: Instant,
  lastLoginAt: Instant.nullable(),
});
export type UserAnswer = z.infer<typeof UserAnswer>;

export const LoginAnswer = z.object({
  access_token: z.string(),
  token_type: z.literal("bearer"),
  expires_in: z.int().describe("seconds"),
  user: UserAnswer,
});
