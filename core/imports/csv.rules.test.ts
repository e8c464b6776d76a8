import { describe, expect, test } from "vitest";
import { readCsv } from "./csv.rules.ts";
import { checked, isUsable } from "./found.rules.ts";

const MAC = "02:00:00:00:00:01";

/** What each line says of its device, or what is wrong with it. */
function linesOf(text: string): unknown[] {
  return readCsv(text)
    .found.map(checked)
    .map((each) => (isUsable(each) ? { line: each.line, ...each.fields } : `${each.line} ${each.problem}`));
}

describe("CSV", () => {
  test.each<[name: string, text: string, expected: unknown[]]>([
    ["an empty text", "", []],
    ["a header alone", "name,mac\n", []],
    ["commas", `name,mac\nNAS,${MAC}\n`, [{ line: 2, name: "NAS", mac: MAC }]],
    [
      "semicolons, a mark of byte order and CRLF",
      `\uFEFFName;MAC\r\nNAS;${MAC}\r\n`,
      [{ line: 2, name: "NAS", mac: MAC }],
    ],
    ["tabs", `name\tmac\nNAS\t${MAC}`, [{ line: 2, name: "NAS", mac: MAC }]],
    ["Excel's own first line", `sep=|\nname|mac\nNAS|${MAC}`, [{ line: 3, name: "NAS", mac: MAC }]],
    [
      "names that others give to columns",
      `Device Name,MAC Address,IP,Notes\nNAS,020000000001,10.0.0.5,old\n`,
      [{ line: 2, name: "NAS", mac: MAC, address: "10.0.0.5", description: "old" }],
    ],
    [
      "quotes, with commas, quotes and line breaks inside",
      `name,mac,description\n"NAS, ""big""",${MAC},"two\nlines"\nPC,02:00:00:00:00:02,\n`,
      [
        { line: 2, name: 'NAS, "big"', mac: MAC, description: "two\nlines" },
        { line: 4, name: "PC", mac: "02:00:00:00:00:02", description: null },
      ],
    ],
    [
      "lists, claims and numbers",
      `mac;tags;enabled;wake.ports;watch.tcpPorts;wake.windowSeconds;watch.arp\n${MAC};a, b\\, c;No;9;"22, 445";60;`,
      [
        {
          line: 2,
          mac: MAC,
          tags: ["a", "b, c"],
          enabled: false,
          "wake.ports": [9],
          "watch.tcpPorts": [22, 445],
          "wake.windowSeconds": 60,
        },
      ],
    ],
    [
      "what an empty cell says: nothing, or that the field is empty",
      `mac,address,os,tags,wake.ports,wake.windowSeconds,enabled\n${MAC},,,,,,\n`,
      [{ line: 2, mac: MAC, address: null, tags: [], "wake.windowSeconds": null }],
    ],
    ["fewer cells than columns", `mac,address,os\n${MAC}`, [{ line: 2, mac: MAC }]],
    ["lines without anything", `mac,os\n\n,\n${MAC},Linux\n\n`, [{ line: 4, mac: MAC, os: "linux" }]],
    [
      "guards against formulas, one of each",
      `mac,name,description\n${MAC},'=A1,''+1\n02:00:00:00:00:02,'s Gravenhage,'\n`,
      [
        { line: 2, mac: MAC, name: "=A1", description: "'+1" },
        { line: 3, mac: "02:00:00:00:00:02", name: "'s Gravenhage", description: "'" },
      ],
    ],
    [
      "no column for the MAC address",
      "name,address\nNAS,nas",
      ["1 The first line has to name the columns, and one of them has to be “mac”."],
    ],
    ["more cells than columns", `mac,name\n${MAC},a,b`, ["2 This line has 3 cells, and the first line names 2."]],
    [
      "a quotation mark without an end",
      `mac,name\n${MAC},"NAS\nPC`,
      ["2 A quotation mark is opened here and never closed."],
    ],
    ["no MAC address", "mac,name\n,NAS", ["2 Its MAC address is empty."]],
    [
      "an address of something else",
      `mac,address\n${MAC},http://nas`,
      ["2 Its address “http://nas” is neither an IP address nor a host name."],
    ],
    [
      "a name that is too long",
      `mac,name\n${MAC},${"x".repeat(81)}`,
      [expect.stringMatching(/^2 Its name “x+…” is longer than 80/)],
    ],
  ])("%s", (_name, text, expected) => expect(linesOf(text)).toEqual(expected));

  test("tells which columns it leaves out, and why", () => {
    expect(readCsv("mac,colour,SecureOn,ip,hostname,__proto__").notes).toEqual([
      "The column “colour” is left out: it is unknown.",
      "The column “SecureOn” is left out: passwords are entered at the device.",
      "The column “hostname” is left out: there is another one for “address”.",
      "The column “__proto__” is left out: it is unknown.",
    ]);
  });
});
