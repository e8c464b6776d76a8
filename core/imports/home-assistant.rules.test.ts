import { describe, expect, test } from "vitest";
import { checked, isUsable } from "./found.rules.ts";
import { readHomeAssistant } from "./home-assistant.rules.ts";

const MAC = "02:00:00:00:00:01";
const SECOND = "02:00:00:00:00:02";

function devicesIn(text: string): unknown[] {
  return readHomeAssistant(text)
    .found.map(checked)
    .map((each) => (isUsable(each) ? { line: each.line, ...each.fields } : `${each.line} ${each.problem}`));
}

function onlyDevice(text: string) {
  const [found] = readHomeAssistant(text).found.map(checked);
  if (!found || !isUsable(found)) throw new Error(`nothing was found: ${JSON.stringify(found)}`);
  return found;
}

describe("Home Assistant's YAML", () => {
  test.each<[name: string, text: string, expected: unknown[]]>([
    ["an empty text", "", []],
    ["a configuration without switches", "default_config:\nautomation: !include automations.yaml\n", []],
    [
      "a list of switches among others",
      `default_config:
switch:
  - platform: template
    switches: {}
  - platform: wake_on_lan
    name: NAS
    mac: "02-00-00-00-00-01"
    host: 192.168.1.20
    broadcast_address: 192.168.1.255
    broadcast_port: 7
`,
      [
        {
          line: 5,
          mac: MAC,
          name: "NAS",
          address: "192.168.1.20",
          "wake.addresses": ["192.168.1.255"],
          "wake.ports": [7],
        },
      ],
    ],
    ["one switch that is no list", `switch:\n  platform: wake_on_lan\n  mac: ${MAC}\n`, [{ line: 2, mac: MAC }]],
    ["labels behind the key", `switch wol:\n  - {platform: wake_on_lan, mac: "${MAC}"}\n`, [{ line: 2, mac: MAC }]],
    ["a file of switches alone", `- platform: wake_on_lan\n  mac: ${MAC}\n`, [{ line: 1, mac: MAC }]],
    ["one switch alone", `platform: wake_on_lan\nmac: ${MAC}\n`, [{ line: 1, mac: MAC }]],
    ["the key of older versions", `platform: wake_on_lan\nmac_address: ${MAC}\n`, [{ line: 1, mac: MAC }]],
    ["digits without quotes", "platform: wake_on_lan\nmac: 020000000001\n", [{ line: 1, mac: MAC }]],
    [
      "packages",
      `homeassistant:
  packages:
    nas:
      switch:
        - platform: wake_on_lan
          mac: ${MAC}
    pc:
      switch second:
        platform: wake_on_lan
        mac: ${SECOND}
`,
      [
        { line: 5, mac: MAC },
        { line: 9, mac: SECOND },
      ],
    ],
    [
      "anchors and what is taken over from them",
      `.base: &base
  platform: wake_on_lan
  broadcast_address: 192.168.1.255
switch:
  - <<: *base
    mac: ${MAC}
  - <<: *base
    mac: ${SECOND}
    broadcast_address: 192.168.2.255
`,
      [
        { line: 5, mac: MAC, "wake.addresses": ["192.168.1.255"] },
        { line: 7, mac: SECOND, "wake.addresses": ["192.168.2.255"] },
      ],
    ],
    [
      "a MAC address that is a secret",
      "platform: wake_on_lan\nmac: !secret mac_of_nas\n",
      ["1 Its MAC address stands in another file (!secret mac_of_nas); write it in its place here."],
    ],
    ["no MAC address", "platform: wake_on_lan\nname: NAS\n", ["1 Its MAC address is empty."]],
    ["a MAC address that is a list", "platform: wake_on_lan\nmac: [a]\n", ["1 Its MAC address is empty."]],
    ["what is no YAML", "switch:\n  - a\n b: c\n", [expect.stringMatching(/^\d This is no YAML that can be read: /)]],
    ["a list of lists", `switch: [[{platform: wake_on_lan, mac: "${MAC}"}]]\n`, []],
  ])("%s", (_name, text, expected) => expect(devicesIn(text)).toEqual(expected));

  test.each<[turnOff: string, words: string]>([
    ["turn_off: {service: shell_command.turn_off_nas}", "shell_command.turn_off_nas"],
    [
      "turn_off: [{action: homeassistant.turn_off, target: {entity_id: switch.plug}}]",
      "homeassistant.turn_off of switch.plug",
    ],
    [
      "turn_off: [{service: hassio.host_shutdown, data: {password: hunter2}}, {delay: 5}, {scene: scene.night}]",
      "hassio.host_shutdown, scene.night",
    ],
    ["turn_off: [{device_id: abc, domain: switch, type: turn_off}]", "the action turn_off of a device"],
    [
      "turn_off: [{action: a.a}, {action: a.b}, {action: a.c}, {action: a.d}, {choose: []}]",
      "a.a, a.b, a.c and 2 more",
    ],
    ["turn_off: !include off.yaml", "!include off.yaml"],
  ])("keeps as a description what turned it off: %s", (turnOff, words) => {
    const { suggested, notes, fields } = onlyDevice(`platform: wake_on_lan\nmac: ${MAC}\n${turnOff}\n`);
    expect(suggested).toEqual({ name: "Wake on LAN", description: `Home Assistant turned it off by ${words}.` });
    expect(notes).toEqual([suggested.description]);
    expect(fields).toEqual({ mac: MAC });
  });

  test("notes what it cannot take over", () => {
    const { notes, fields } = onlyDevice(
      `platform: wake_on_lan\nmac: ${MAC}\nhost: !secret ip\nbroadcast_address: lan.example\nbroadcast_port: nine\n`,
    );
    expect(fields).toEqual({ mac: MAC });
    expect(notes).toEqual([
      "host is left out: “!secret ip” cannot be taken over.",
      "broadcast_address is left out: “lan.example” cannot be taken over.",
      "broadcast_port is left out: “nine” cannot be taken over.",
    ]);
  });

  test("tells what stands in other files", () => {
    const text = `switch: !include switches.yaml
homeassistant:
  packages:
    nas: !include packages/nas.yaml
homeassistant 2:
packages: !include_dir_named packages
`;
    expect(readHomeAssistant(text).notes).toEqual([
      "Line 1 leads to another file (!include switches.yaml); import that one, too.",
      "Line 4 leads to another file (!include packages/nas.yaml); import that one, too.",
      "Line 6 leads to another file (!include_dir_named packages); import that one, too.",
    ]);
  });

  test("is not led into expanding aliases of aliases", () => {
    const lists = Array.from(
      { length: 25 },
      (_, index) => `l${index + 1}: &l${index + 1} [${`*l${index},`.repeat(9)}]`,
    );
    expect(devicesIn(`l0: &l0 [x]\n${lists.join("\n")}\nswitch: *l25\n`)).toEqual([]);
    const maps = Array.from(
      { length: 25 },
      (_, index) => `m${index + 1}: &m${index + 1} {<<: [${`*m${index},`.repeat(9)}]}`,
    );
    expect(devicesIn(`m0: &m0 {a: b}\n${maps.join("\n")}\nswitch: *m25\n`)).toEqual([
      "1 This YAML refers to itself more often than a configuration does.",
    ]);
    expect(devicesIn("switch: &a\n  - *a\n  - <<: *a\n")).toEqual([]);
  });
});
