import type { z } from "zod";
import type { TokenAnswer, TokenCreate, TokenCreated as Created } from "#contracts/api/tokens.ts";
import { call } from "./call.ts";
import { wholeList } from "./whole-list.ts";

export type TokenCreated = z.infer<typeof Created>;

/** The account's own, of the site that the page shows. */
export async function tokens(): Promise<TokenAnswer[]> {
  return await wholeList("/tokens");
}

/** @returns the token itself, too: this once. */
export async function createToken(input: z.input<typeof TokenCreate>): Promise<TokenCreated> {
  return await call("POST", "/tokens", input);
}

/** Connections that use it end at once. */
export async function revokeToken(id: string): Promise<void> {
  await call("DELETE", `/tokens/${id}`);
}
