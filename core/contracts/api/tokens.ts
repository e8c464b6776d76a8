import { z } from "zod";
import { Instant } from "../instant.ts";
import { TokenPermission } from "../permissions.ts";
import { Name, page } from "./common.ts";

/** A personal token works in one site: the one of the call that made it. */
export const TokenCreate = z
  .object({
    name: Name,
    permissions: z
      .array(TokenPermission)
      .min(1)
      .overwrite((permissions) => [...new Set(permissions)]),
    expiresInDays: z.int().min(1).max(3_650).nullable().default(90).describe("null = never"),
  })
  .strict();
export type TokenCreate = z.infer<typeof TokenCreate>;

export const TokenAnswer = z.object({
  id: z.uuid(),
  name: z.string(),
  prefix: z.string().describe("how the token begins, to tell it from others"),
  permissions: z.array(TokenPermission),
  mqttUsername: z.string().describe("the user name beside which an MQTT client shows the token as its password"),
  createdAt: Instant,
  expiresAt: Instant.nullable(),
  lastUsedAt: Instant.nullable(),
  lastAddress: z.string().nullable(),
});
export type TokenAnswer = z.infer<typeof TokenAnswer>;

export const TokenCreated = TokenAnswer.extend({
  token: z.string().describe("shown this once"),
  mqttUrl: z.string().describe("where an MQTT client finds the broker"),
  baseTopic: z.string().describe("what all topics begin with"),
});

export const TokenList = page(TokenAnswer);
