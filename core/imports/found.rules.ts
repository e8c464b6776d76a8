import type { z } from "zod";
import type { ImportField } from "#contracts/api/imports.ts";
import { ImportedFields } from "./fields.rules.ts";

/** What a text says of one device. */
export interface Candidate {
  /** Where it begins, from 1. */
  readonly line: number;
  readonly fields: ImportedFields;
  /** Taken for a new device where `fields` say nothing; one that exists keeps its own. */
  readonly suggested: { readonly name: string; readonly description: string | null };
  readonly notes: readonly string[];
}

/** A part of a text that no device can be made of. */
export interface Unusable {
  readonly line: number;
  readonly mac: string | null;
  readonly name: string | null;
  readonly problem: string;
}

export type Found = Candidate | Unusable;

/** A whole text, read, and nothing of it checked. */
export interface Reading {
  readonly found: readonly (RawDevice | Unusable)[];
  readonly notes: readonly string[];
}

export interface RawDevice {
  readonly line: number;
  /** What is undefined was not said. */
  readonly fields: Readonly<Partial<Record<ImportField, unknown>>>;
  readonly suggested?: { readonly name?: string | undefined; readonly description?: string | undefined };
  readonly notes?: readonly string[];
}

const WORDS: Readonly<Partial<Record<string, string>>> = {
  mac: "MAC address",
  os: "operating system",
  "wake.addresses": "list of addresses to send to",
  "wake.ports": "list of UDP ports",
  "wake.windowSeconds": "waiting time",
  "watch.tcpPorts": "list of TCP ports",
  "watch.intervalSeconds": "interval",
};
const MAX_QUOTED = 40;
const MAX_NAME = 80;
const MAX_DESCRIPTION = 2_000;

/** What was read, checked; with a sentence where it is of no use. */
export function checked(raw: RawDevice | Unusable): Found {
  if ("problem" in raw) return raw;
  const { line, fields, suggested = {}, notes = [] } = raw;
  const said = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const { data, error } = ImportedFields.safeParse(said);
  if (!data) {
    const [mac, name] = [fields.mac, fields.name ?? suggested.name].map((text) =>
      typeof text === "string" && text !== "" ? clipped(text, MAX_NAME) : null,
    );
    return { line, mac: mac ?? null, name: name ?? null, problem: sentenceOf(error.issues, said) };
  }
  const name = usable(suggested.name, MAX_NAME) || data.name || data.address || data.mac;
  const description = usable(suggested.description, MAX_DESCRIPTION) || null;
  return { line, fields: data, suggested: { name: name.replaceAll("\n", " ").slice(0, MAX_NAME), description }, notes };
}

/** The first thing that is wrong, and how many more there are. */
function sentenceOf(issues: readonly z.core.$ZodIssue[], said: Readonly<Record<string, unknown>>): string {
  const [first] = issues;
  const others = new Set(issues.map(({ path }) => path[0])).size - 1;
  const field = String(first?.path[0] ?? "");
  const value = said[field];
  const quoted = typeof value === "string" && value !== "" ? ` “${clipped(value, MAX_QUOTED)}”` : "";
  const more = others > 0 ? ` And ${others} more of it ${others === 1 ? "is" : "are"} wrong.` : "";
  return `Its ${WORDS[field] ?? field}${quoted} ${first?.message ?? "is not valid"}.${more}`;
}

/** What somebody else's program wrote, without what a name or description may not hold. */
function usable(text: string | undefined, maxLength: number): string {
  const plain = (text ?? "")
    .toWellFormed()
    .replaceAll(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, (each) => (each === "\n" ? each : " "));
  return plain.trim().slice(0, maxLength).toWellFormed();
}

export function clipped(text: string, maxLength: number): string {
  const plain = text.toWellFormed().replaceAll(/\p{Cc}/gu, " ");
  return plain.length > maxLength ? `${plain.slice(0, maxLength - 1)}…`.toWellFormed() : plain;
}

export function isUsable(found: Found): found is Candidate {
  return "fields" in found;
}
