import { z } from "zod";

/** Text that a database can keep: no U+0000 and no half of a surrogate pair, which Postgres refuses in text and JSON. */
export const text = (maxLength: number) =>
  z.string().max(maxLength).refine(canBeKept, "holds a character that cannot be kept");

function canBeKept(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}
