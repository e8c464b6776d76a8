import type { z } from "zod";
import type { IdentityAnswer, IdentityLinkAnswer, MeAnswer, MeChange, SessionAnswer } from "#contracts/api/accounts.ts";
import { CallError, WHO_AM_I, call } from "./call.ts";
import { wholeList } from "./whole-list.ts";

/** Who is logged in; undefined when nobody is. */
export async function whoAmI(): Promise<MeAnswer | undefined> {
  try {
    return await call<MeAnswer>("GET", WHO_AM_I);
  } catch (error) {
    if (error instanceof CallError && error.code === "UNAUTHENTICATED") return undefined;
    throw error;
  }
}

/** A new password ends the account's other sessions. */
export async function changeMe(change: MeChange): Promise<MeAnswer> {
  return await call("PATCH", "/auth/me", change);
}

/** Where the account is logged in, the one used last first. */
export async function sessions(): Promise<SessionAnswer[]> {
  return await wholeList("/auth/sessions");
}

export async function endSession(id: string): Promise<void> {
  await call("DELETE", `/auth/sessions/${id}`);
}

/** The accounts at providers that log in as this one. */
export async function identities(): Promise<IdentityAnswer[]> {
  return await wholeList("/auth/identities");
}

/** @returns where the browser goes on; it comes back to the profile. */
export async function linkIdentity(): Promise<string> {
  const { url } = await call<z.infer<typeof IdentityLinkAnswer>>("POST", "/auth/identities");
  return url;
}

export async function unlinkIdentity(id: string): Promise<void> {
  await call("DELETE", `/auth/identities/${id}`);
}
