import type { z } from "zod";

const TYPES: Readonly<Record<string, string>> = {
  string: "must be text",
  number: "must be a number",
  int: "must be a whole number",
  boolean: "must be true or false",
  array: "must be a list",
  object: "must be an object",
  nan: "must be a number",
};

const FORMATS: Readonly<Record<string, string>> = {
  email: "is not an e-mail address",
  uuid: "is not an id",
  url: "is not an address such as https://example.org",
  datetime: "is not an instant such as 2026-01-31T12:00:00Z",
};

/**
 * What is wrong with an input, in words for the person who typed it; they stand after the name of the field: `is missing`.
 *
 * @returns undefined where zod, or the schema itself, says it well enough.
 */
export function inputWords(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined) return "is missing";
  switch (issue.code) {
    case "invalid_type":
      return TYPES[issue.expected];
    case "invalid_value":
      return oneOf(issue.values);
    case "invalid_format":
      return FORMATS[issue.format];
    case "too_small":
      if (issue.origin === "string")
        return issue.minimum === 1 ? "is empty" : `is shorter than ${issue.minimum} characters`;
      if (issue.origin === "array") return issue.minimum === 1 ? "is empty" : `holds fewer than ${issue.minimum}`;
      return `must be ${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}`;
    case "too_big":
      if (issue.origin === "string") return `is longer than ${issue.maximum} characters`;
      if (issue.origin === "array") return `holds more than ${issue.maximum}`;
      return `must be ${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}`;
    case "invalid_union":
      return unionWords(issue);
    // of these the schemas of the API have their own words, or none
    case "not_multiple_of":
    case "unrecognized_keys":
    case "invalid_key":
    case "invalid_element":
    case "custom":
      return undefined;
  }
}

/** Of a union of words, or of objects that a word tells apart; undefined of any other. */
function unionWords({ options, errors }: { options?: unknown; errors: z.core.$ZodIssue[][] }): string | undefined {
  if (Array.isArray(options)) return oneOf(options);
  const words = errors.map(([problem, ...more]) =>
    problem?.code === "invalid_value" && problem.path.length === 0 && more.length === 0 ? problem.values : undefined,
  );
  return words.length > 0 && words.every((values) => values !== undefined) ? oneOf(words.flat()) : undefined;
}

function oneOf(values: readonly unknown[]): string {
  return `must be ${values.length === 1 ? "" : "one of "}${values.map(String).join(", ")}`;
}
