import { expect, test } from "vitest";
import { ImportFormat } from "#contracts/api/imports.ts";
import { checked } from "./found.rules.ts";
import { readText } from "./read-text.ts";

const SIZE = 4 * 1024;

/** Each of these makes some reader work in a way that it was not made for. */
const TEXTS: readonly string[] = [
  ...[
    "[",
    "{",
    '"',
    "'",
    "- ",
    "? ",
    ": ",
    "a: ",
    "!",
    "&a ",
    "*a ",
    "#",
    ",",
    ";",
    "\\t",
    "\n",
    "\r",
    "\0",
    "\ud800",
    "{[",
    "<<: ",
  ].map((piece) => piece.repeat(SIZE / piece.length)),
  "lease 1.2.3.4 {".repeat(SIZE / 16),
  '"a","b"\n'.repeat(SIZE / 8),
  `mac${",x".repeat(SIZE / 4)}\n${",".repeat(SIZE / 4)}\n`,
  "dhcp-host=".repeat(SIZE / 10),
  "constructor,__proto__,mac,toString\na,b,c,d\n",
  '{"items":{"length":1e9},"totalPages":1e308}',
  '[{"__proto__":{"mac":"02:00:00:00:00:01"},"expand":{"ports":[{"number":1e99}],"groups":[{"name":"\\ud800"}]}}]',
  "%YAML 1.1\n%TAG ! tag:x,2000:\n---\n!!js/function 'x'\n...\n--- b\n",
  "switch: &a [*a, {<<: *a, platform: wake_on_lan, mac: *a, turn_off: *a}]",
  "switch: *nowhere",
];

test.each(ImportFormat.options)("whatever text is said to be %s, it is read or found of no use", async (format) => {
  for (const text of TEXTS) {
    const { found, notes } = await readText({ format, text });
    const all = found.map(checked);
    expect(notes.every((note) => note.length < 1_000)).toBe(true);
    expect(all.every((each) => "problem" in each && each.problem.length < 1_000)).toBe(true);
  }
});

test.each(["[", "- ", "? ", "{a: ", "- - ["])(
  "YAML nested by %j is not followed to the end of the stack",
  async (piece) => {
    const readDeep = async (times: number) => {
      const { found } = await readText({ format: "home-assistant", text: piece.repeat(times) });
      return found.map((each) => ("problem" in each ? each.problem : ""));
    };
    expect(await readDeep(5_000)).toEqual(["This is no YAML that can be read: it is nested deeper than 100 levels"]);
    expect(String(await readDeep(20))).not.toMatch(/deeper/);
  },
);
