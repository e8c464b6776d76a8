import { HubError } from "./errors.ts";

/** Where a page of a history ends, newest first: the instant and the id of its last row. */
export function instantCursor(at: Date, id: string): string {
  return Buffer.from(`${at.toISOString()} ${id}`).toString("base64url");
}

/** @throws HubError INVALID_INPUT for a cursor that is not one of ours. */
export function readInstantCursor(cursor: string): { at: Date; id: string } {
  const [instant = "", id = ""] = Buffer.from(cursor, "base64url").toString().split(" ");
  const at = new Date(instant);
  if (Number.isNaN(at.getTime()) || !/^[0-9a-f-]{36}$/.test(id)) {
    throw new HubError("INVALID_INPUT", "This cursor did not come from this list", { field: "cursor" });
  }
  return { at, id };
}
