import type { z } from "zod";
import type { UserAnswer, UserChange, UserCreate, UserList, UserName } from "#contracts/api/accounts.ts";
import { call } from "./call.ts";
import { wholeList } from "./whole-list.ts";

/** Those whose name or e-mail address holds the text, as many as asked for, and how many there are. */
export async function users(text: string, limit: number): Promise<z.infer<typeof UserList>> {
  return await call("GET", `/users?${new URLSearchParams({ q: text, limit: String(limit) })}`);
}

/** Who manages users sees what they are, too. */
export type NamedUser = UserName & Partial<Pick<UserAnswer, "role">>;

/** Everybody that the account may see. */
export async function userNames(): Promise<NamedUser[]> {
  return await wholeList("/users");
}

export async function createUser(input: z.input<typeof UserCreate>): Promise<UserAnswer> {
  return await call("POST", "/users", input);
}

export async function changeUser(id: string, change: UserChange): Promise<UserAnswer> {
  return await call("PATCH", `/users/${id}`, change);
}

/** @param heir gets the devices and clusters; without one nobody owns them. */
export async function deleteUser(id: string, heir: string | null): Promise<void> {
  await call("DELETE", `/users/${id}${heir === null ? "" : `?heir=${heir}`}`);
}
