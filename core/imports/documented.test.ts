import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { IMPORT_FIELDS } from "#contracts/api/imports.ts";
import { readCsv } from "./csv.rules.ts";
import { readDhcpd } from "./dhcpd.rules.ts";
import { readDnsmasq } from "./dnsmasq.rules.ts";
import { readEthers } from "./ethers.rules.ts";
import { checked, isUsable } from "./found.rules.ts";
import { readHomeAssistant } from "./home-assistant.rules.ts";
import { readUpsnap } from "./upsnap.rules.ts";

const text = readFileSync(join(import.meta.dirname, "../../docs/importing.md"), "utf8");

/** The last example below a heading. */
function exampleOf(heading: string): string {
  const section = text.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return [...section.matchAll(/```\w+\n(.*?)```/gs)].at(-1)?.[1] ?? "";
}

test.each([
  ["CSV", readCsv, 2],
  ["Home Assistant", readHomeAssistant, 1],
  ["UpSnap", readUpsnap, 1],
  ["/etc/ethers", readEthers, 2],
  ["dnsmasq", readDnsmasq, 2],
  ["ISC dhcpd", readDhcpd, 2],
] as const)("the example of %s is read as the document says", (heading, read, count) => {
  const { found, notes } = read(exampleOf(heading));
  expect(notes).toEqual([]);
  expect(found.map(checked).filter(isUsable)).toHaveLength(count);
  expect(found).toHaveLength(count);
});

test("the document has every column of CSV", () => {
  const table = text.split("| column | what it holds |")[1]?.split("\n\n")[0] ?? "";
  const columns = new Set([...table.matchAll(/`([^`]+)`/g)].map((match) => match[1]));
  expect(IMPORT_FIELDS.filter((field) => !columns.has(field))).toEqual([]);
});
