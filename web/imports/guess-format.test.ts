import { expect, test } from "vitest";
import { guessFormat } from "./guess-format.ts";

test.each<[text: string, fileName: string | undefined, format: string | undefined]>([
  ["name,mac\nNAS,02:00:00:00:00:01", undefined, "csv"],
  ['"Name";"MAC Address"\r\n', undefined, "csv"],
  ["whatever", "devices.CSV", "csv"],
  ["# all\n02:00:00:00:00:01 nas", undefined, "ethers"],
  ["8:0:20:1:2:3\tnas # old", undefined, "ethers"],
  ["1795255200 02:00:00:00:00:01 192.168.1.20 nas 01:02:00:00:00:00:01", undefined, "dnsmasq"],
  ["domain-needed\ndhcp-host=02:00:00:00:00:01,nas", undefined, "dnsmasq"],
  ["# format of dhcpd.leases(5)\nlease 192.168.1.20 {\n", "dhcpd.leases", "dhcpd"],
  ["subnet 192.168.1.0 netmask 255.255.255.0 {\n  host nas {", undefined, "dhcpd"],
  ['{"page":1,"items":[]}', undefined, "upsnap"],
  ['\uFEFF[{"mac":"02:00:00:00:00:01"}]', undefined, "upsnap"],
  ["switch:\n  - platform: wake_on_lan\n    mac: 02:00:00:00:00:01", undefined, "home-assistant"],
  ["- platform: wake_on_lan\n", undefined, "home-assistant"],
  ["switch: !include switches.yaml\n", undefined, "home-assistant"],
  ["anything: else", "configuration.yaml", "home-assistant"],
  ["hello", undefined, undefined],
  ["", "constructor", undefined],
])("%j from %s seems to be %s", (text, fileName, format) => {
  expect(guessFormat(text, fileName)).toBe(format);
});
