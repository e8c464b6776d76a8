import type { z } from "zod";

/** Somebody may send ten thousand mistakes at once; an answer names a few, and stays a sentence. */
const MAX_NAMED = 3;
const MAX_LENGTH = 300;

/** What is wrong with a payload, for people: each field with its problem. */
export function problemOf({ issues }: z.ZodError): string {
  const named = issues
    .slice(0, MAX_NAMED)
    .map(({ path, message }) => (path.length > 0 ? `${path.join(".")}: ${message}` : message));
  const more = issues.length > MAX_NAMED ? [`and ${issues.length - MAX_NAMED} more`] : [];
  return cut([...named, ...more].join("; "));
}

/** The field that the first problem is about; null when it is about all of it. */
export function fieldOf({ issues: [issue] }: z.ZodError): string | null {
  if (!issue) return null;
  const path = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0] ?? ""] : issue.path;
  return path.length > 0 ? cut(path.join(".")) : null;
}

function cut(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH).toWellFormed()}…` : text;
}
