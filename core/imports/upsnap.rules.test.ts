import { describe, expect, test } from "vitest";
import { checked, isUsable } from "./found.rules.ts";
import { readUpsnap } from "./upsnap.rules.ts";

const MAC = "02:00:00:00:00:01";

/** A record with everything that UpSnap 5 gives one. */
const RECORD = {
  collectionId: "z5lghx2r3tm45n1",
  collectionName: "devices",
  id: "a1b2c3d4e5f6g7h",
  created: "2026-01-31 12:00:00.000Z",
  updated: "2026-01-31 12:00:00.000Z",
  created_by: "",
  name: "NAS",
  description: "in the cellar",
  ip: "192.168.1.20",
  mac: "02:00:00:00:00:01",
  netmask: "255.255.252.0",
  status: "online",
  link: "https://nas.lan",
  link_open: "",
  ports: ["p1", "p2"],
  groups: ["g1"],
  ping_cmd: "",
  wake_cron: "0 8 * * 1-5",
  wake_cron_enabled: true,
  wake_cmd: "",
  wake_confirm: false,
  wake_timeout: 0,
  shutdown_cron: "0 20 * * *",
  shutdown_cron_enabled: false,
  shutdown_cmd: "sshpass -p hunter2 ssh root@192.168.1.20 poweroff",
  shutdown_confirm: false,
  shutdown_timeout: 0,
  password: "secret",
  sol_enabled: false,
  sol_auth: false,
  sol_user: "",
  sol_password: "",
  sol_port: 0,
  expand: {
    ports: [
      { id: "p1", name: "SSH", number: 22, status: true, link: "" },
      { id: "p2", name: "SMB", number: 445, status: false, link: "" },
    ],
    groups: [{ id: "g1", name: "Storage" }],
  },
};

const listOf = (items: unknown[], more: object = {}) =>
  JSON.stringify({ page: 1, perPage: 500, totalItems: items.length, totalPages: 1, items, ...more }, null, 2);

function devicesIn(text: string): unknown[] {
  return readUpsnap(text)
    .found.map(checked)
    .map((each) => (isUsable(each) ? each.fields : `${each.line} ${each.problem}`));
}

describe("UpSnap", () => {
  test("a record is taken over without its commands and passwords", () => {
    const reading = readUpsnap(listOf([RECORD]));
    const notes = [
      "UpSnap woke it at “0 8 * * 1-5”.",
      "UpSnap shut it down by a command of its own, which stays there.",
      "UpSnap keeps a SecureOn password for it, which stays there.",
    ];
    expect(reading.found.map(checked)).toEqual([
      {
        line: 17,
        fields: {
          name: "NAS",
          mac: MAC,
          address: "192.168.1.20",
          tags: ["Storage"],
          "wake.addresses": ["192.168.3.255"],
          "watch.tcpPorts": [22, 445],
        },
        suggested: { name: "NAS", description: ["in the cellar", ...notes].join("\n") },
        notes,
      },
    ]);
    expect(JSON.stringify(reading)).not.toMatch(/hunter2|"secret"/);
    expect(reading.notes).toEqual([]);
  });

  test.each<[name: string, text: string, expected: unknown[]]>([
    ["no devices", listOf([]), []],
    ["the items alone", JSON.stringify([{ mac: MAC, name: "NAS" }]), [{ mac: MAC, name: "NAS" }]],
    ["one record alone", JSON.stringify({ mac: MAC, name: "NAS" }), [{ mac: MAC, name: "NAS" }]],
    [
      "a name instead of an IP address",
      JSON.stringify([{ mac: MAC, ip: "nas.lan", netmask: "255.255.255.0" }]),
      [{ mac: MAC, address: "nas.lan" }],
    ],
    [
      "a mask that is none",
      JSON.stringify([{ mac: MAC, ip: "10.0.0.5", netmask: "255.0.255.0" }]),
      [{ mac: MAC, address: "10.0.0.5" }],
    ],
    [
      "a network of one",
      JSON.stringify([{ mac: MAC, ip: "10.0.0.5", netmask: "255.255.255.255" }]),
      [{ mac: MAC, address: "10.0.0.5" }],
    ],
    [
      "high addresses",
      JSON.stringify([{ mac: MAC, ip: "223.5.5.5", netmask: "255.0.0.0" }]),
      [{ mac: MAC, address: "223.5.5.5", "wake.addresses": ["223.255.255.255"] }],
    ],
    [
      "values of other types",
      JSON.stringify([{ mac: 5, name: {}, expand: 7, ports: "x" }]),
      ["1 Its MAC address is empty."],
    ],
    ["what is no record", "[null, 7]", Array.from({ length: 2 }, () => "1 This is no record of a device of UpSnap.")],
    ["what is no JSON", '{\n  "items": [,]\n}', [expect.stringMatching(/^1 This is no JSON: /)]],
    ["deep nesting", "[".repeat(200_000), [expect.stringMatching(/^1 This is no JSON: /)]],
  ])("%s", (_name, text, expected) => expect(devicesIn(text)).toEqual(expected));

  test("tells where each device stands, that there are more, and that ids alone say nothing", () => {
    const bare = { ...RECORD, expand: {} };
    const { found, notes } = readUpsnap(listOf([bare, { ...bare, mac: "02:00:00:00:00:02" }], { totalPages: 3 }));
    expect(found.map(({ line }) => line)).toEqual([17, 58]);
    expect(notes).toEqual([
      "This is page 1 of 3; ask UpSnap with ?perPage=500 for all of it.",
      "Ports and groups stand here by their ids alone; ask UpSnap with ?expand=ports,groups for them.",
    ]);
  });
});
