import type { z } from "zod";
import type { Login, LogoutAnswer, SetupInit, SetupStatus } from "#contracts/api/accounts.ts";
import { call } from "./call.ts";

export async function isSetUp(): Promise<boolean> {
  const { complete } = await call<z.infer<typeof SetupStatus>>("GET", "/setup/status");
  return complete;
}

export async function setUp(input: z.input<typeof SetupInit>): Promise<void> {
  await call("POST", "/setup/init", input);
}

/** The session is a cookie that scripts cannot read. */
export async function logIn(input: Login): Promise<void> {
  await call("POST", "/auth/login", input);
}

/** @returns where to go on to end the session at the provider, too; null = nowhere. */
export async function logOut(): Promise<string | null> {
  const { logoutUrl } = await call<z.infer<typeof LogoutAnswer>>("POST", "/auth/logout");
  return logoutUrl;
}
