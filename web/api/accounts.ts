import type { z } from "zod";
import type { Login, SetupInit, SetupStatus, UserAnswer } from "#contracts/api/accounts.ts";
import { CallError, WHO_AM_I, call } from "./call.ts";

export async function isSetUp(): Promise<boolean> {
  const { complete } = await call<z.infer<typeof SetupStatus>>("GET", "/setup/status");
  return complete;
}

export async function setUp(input: z.input<typeof SetupInit>): Promise<void> {
  await call("POST", "/setup/init", input);
}

/** The session is a cookie that scripts cannot read. */
export async function logIn(input: Login): Promise<UserAnswer> {
  const { user } = await call<{ user: UserAnswer }>("POST", "/auth/login", input);
  return user;
}

export async function logOut(): Promise<void> {
  await call("POST", "/auth/logout");
}

/** Who is logged in; undefined when nobody is. */
export async function whoAmI(): Promise<UserAnswer | undefined> {
  try {
    return await call<UserAnswer>("GET", WHO_AM_I);
  } catch (error) {
    if (error instanceof CallError && error.code === "UNAUTHENTICATED") return undefined;
    throw error;
  }
}
