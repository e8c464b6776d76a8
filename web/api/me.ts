import type { MeAnswer } from "#contracts/api/accounts.ts";
import { CallError, WHO_AM_I, call } from "./call.ts";

/** Who is logged in; undefined when nobody is. */
export async function whoAmI(): Promise<MeAnswer | undefined> {
  try {
    return await call<MeAnswer>("GET", WHO_AM_I);
  } catch (error) {
    if (error instanceof CallError && error.code === "UNAUTHENTICATED") return undefined;
    throw error;
  }
}
