import type { z } from "zod";
import type { SignOnAnswer, SignOnChange } from "#contracts/api/sign-on.ts";
import { hrefOf } from "./address.ts";
import { call } from "./call.ts";

export async function signOn(): Promise<SignOnAnswer> {
  return await call("GET", "/config/oidc");
}

export async function changeSignOn(change: z.input<typeof SignOnChange>): Promise<SignOnAnswer> {
  return await call("PUT", "/config/oidc", change);
}

/** Where a log-in by the provider begins. @param returnTo the page's path to come back to. */
export function signOnPath(returnTo: string): string {
  return hrefOf(`/api/auth/login/oauth?${new URLSearchParams({ returnTo })}`);
}
