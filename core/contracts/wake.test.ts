import { describe, expect, test } from "vitest";
import { parsePowerRequest, parseWakeRequest } from "./wake.ts";

const everything = { devices: null, mac: null, transaction: null, force: false };

describe("a wake request", () => {
  test.each([
    ["nothing", "", everything],
    ["blanks", " \n", everything],
    ["a star", "*", everything],
    ["a key", "nas", { ...everything, devices: ["nas"] }],
    ["a list of keys", "nas,pve-1", { ...everything, devices: ["nas", "pve-1"] }],
    ["a list with blanks", " nas , pve-1\n", { ...everything, devices: ["nas", "pve-1"] }],
    ["an empty object", "{}", everything],
    ["devices", '{"devices":["nas"]}', { ...everything, devices: ["nas"] }],
    ["a transaction", '{"devices":["nas"],"transaction":"42"}', { ...everything, devices: ["nas"], transaction: "42" }],
    ["a number as transaction", '{"transaction":42}', { ...everything, transaction: "42" }],
    ["force", '{"devices":["nas"],"force":true}', { ...everything, devices: ["nas"], force: true }],
    ["a MAC address", '{"mac":"AA-BB-CC-DD-EE-F0"}', { ...everything, mac: "aa:bb:cc:dd:ee:f0" }],
    [
      "a MAC address and a transaction",
      '{"mac":"aabb.ccdd.eef0","transaction":"t","force":true}',
      { devices: null, mac: "aa:bb:cc:dd:ee:f0", transaction: "t", force: true },
    ],
    ["a key that objects know", "constructor", { ...everything, devices: ["constructor"] }],
  ])("of %s is read", (_what, payload, request) => {
    expect(parseWakeRequest(payload)).toEqual({ ok: true, request });
  });

  const noList = /^the payload is neither a list of device keys nor JSON$/;
  test.each([
    ["text that is no key", "Wake up!", noList, null],
    ["a list with a hole", "nas,,pve", noList, null],
    ["a list that ends with a comma", "nas,", noList, null],
    ["a JSON list", '["nas"]', noList, null],
    ["broken JSON", '{"devices":["nas"', /^the payload is not valid JSON$/, null],
    ["no device", '{"devices":[]}', /^devices: /, null],
    ["devices that are no list", '{"devices":"nas","transaction":"7"}', /^devices: /, "7"],
    ["a key that is none", '{"devices":["nas","Not A Key"],"transaction":7}', /^devices\.1: must be 1 to 63/, "7"],
    ["a MAC address that is none", '{"mac":"nas","transaction":"7"}', /^mac: is not a MAC address/, "7"],
    ["a multicast MAC address", '{"mac":"ff:ff:ff:ff:ff:ff"}', /^mac: is a multicast/, null],
    ["both", '{"devices":["nas"],"mac":"aa:bb:cc:dd:ee:f0","transaction":"7"}', /names both devices and a mac/, "7"],
    ["a field that is unknown", '{"device":"nas","transaction":"7"}', /"device"/, "7"],
    ["force that is no boolean", '{"force":"yes","transaction":"7"}', /^force: /, "7"],
    ["an empty transaction", '{"transaction":""}', /^transaction: /, null],
    ["a transaction too long", `{"transaction":"${"x".repeat(129)}"}`, /^transaction: /, null],
    ["a transaction that is an object", '{"transaction":{}}', /^transaction: /, null],
    ["null as devices", '{"devices":null,"transaction":"7"}', /^devices: /, "7"],
    ["too many devices", JSON.stringify({ devices: Array<string>(10_001).fill("nas") }), /^devices: /, null],
  ])("with %s is refused, and what is wrong is named", (_what, payload, reason, transaction) => {
    expect(parseWakeRequest(payload)).toEqual({
      ok: false,
      reason: expect.stringMatching(reason),
      transaction,
    });
  });

  test("cannot bring fields in by a prototype", () => {
    expect(parseWakeRequest('{"__proto__":{"force":true}}')).toMatchObject({ ok: false });
  });
});

describe("a power request", () => {
  const plain = { transaction: null, force: false };

  test.each([
    ["ON", { ...plain, action: "wake" }],
    ["on", { ...plain, action: "wake" }],
    [" WAKE ", { ...plain, action: "wake" }],
    ["OFF", { ...plain, action: "off" }],
    ["SHUTDOWN", { ...plain, action: "shutdown" }],
    ["Sleep", { ...plain, action: "sleep" }],
    ["HIBERNATE", { ...plain, action: "hibernate" }],
    ["REBOOT", { ...plain, action: "reboot" }],
    ['{"action":"ON"}', { ...plain, action: "wake" }],
    ['{"action":"sleep","transaction":"43","force":true}', { action: "sleep", transaction: "43", force: true }],
    ['{"action":"wake","transaction":43}', { action: "wake", transaction: "43", force: false }],
  ])("%s is read", (payload, request) => {
    expect(parsePowerRequest(payload)).toEqual({ ok: true, request });
  });

  test.each([
    ["nothing", "", /none of ON, OFF/, null],
    ["another word", "TOGGLE", /none of ON, OFF/, null],
    ["a word that objects know", "constructor", /none of ON, OFF/, null],
    ["broken JSON", "{", /not valid JSON/, null],
    ["no action", '{"transaction":"7"}', /^action: /, "7"],
    ["an unknown action", '{"action":"explode","transaction":"7"}', /^action: /, "7"],
    ["an action that is a number", '{"action":1,"transaction":"7"}', /^action: /, "7"],
    ["an unknown field", '{"action":"on","when":"now","transaction":"7"}', /"when"/, "7"],
    ["force that is no boolean", '{"action":"on","force":1,"transaction":"7"}', /^force: /, "7"],
  ])("of %s is refused, and what is wrong is named", (_what, payload, reason, transaction) => {
    expect(parsePowerRequest(payload)).toEqual({ ok: false, reason: expect.stringMatching(reason), transaction });
  });
});
