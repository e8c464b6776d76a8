import { describe, expect, test } from "vitest";
import { type HubVerb, hubMessages, parseFields, parseHubRequest } from "./request.ts";

describe("the payload of a request to the hub", () => {
  test.each([
    ["", {}, null],
    ["{}", {}, null],
    ['{"transaction":"42"}', {}, "42"],
    ['{"transaction":42,"device":"nas"}', { device: "nas" }, "42"],
    ['{"transaction":null}', {}, null],
  ])("%s is read", (payload, fields, transaction) => {
    expect(parseHubRequest(payload)).toEqual({ ok: true, fields, transaction });
  });

  test.each([
    ["{", null],
    ["[]", null],
    ['"now"', null],
    ["null", null],
    ["1e999", null],
    ['{"transaction":{}}', "transaction"],
    ['{"transaction":""}', "transaction"],
    [`{"transaction":"${"x".repeat(129)}"}`, "transaction"],
    ["[".repeat(100_000), null],
    [`${"[".repeat(100_000)}${"]".repeat(100_000)}`, null],
  ])("%.40s is refused", (payload, field) => {
    expect(parseHubRequest(payload)).toMatchObject({ ok: false, field, transaction: null, reason: expect.any(String) });
  });

  test("that names a prototype changes none", () => {
    const read = parseHubRequest('{"__proto__":{"transaction":"1","polluted":true},"constructor":1}');
    expect(read.transaction).toBeNull();
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(read.ok && parseFields("health", read.fields)).toMatchObject({ ok: false });
  });
});

describe("the fields of a request", () => {
  test.each<[HubVerb, object, object]>([
    ["inventory", {}, {}],
    ["inventory", { cursor: "device:nas", limit: 5 }, { cursor: "device:nas", limit: 5 }],
    ["wake", { device: "nas" }, { device: "nas", force: false }],
    ["wake", { mac: "AA-BB-CC-DD-EE-00", force: true }, { mac: "aa:bb:cc:dd:ee:00", force: true }],
    ["power", { cluster: "home", action: "ON" }, { cluster: "home", action: "wake", force: false }],
    ["power", { device: "nas", action: "SHUTDOWN" }, { device: "nas", action: "shutdown", force: false }],
  ])("%s takes %j", (verb, fields, taken) => {
    expect(parseFields(verb, fields)).toEqual({ ok: true, fields: taken });
  });

  test.each<[HubVerb, object, string]>([
    ["health", { now: true }, "now"],
    ["send-discovery", { constructor: 1 }, "constructor"],
    ["inventory", { limit: 0 }, "limit"],
    ["inventory", { cursor: "device:" }, "cursor"],
    ["inventory", { cursor: "site:nas" }, "cursor"],
    ["wake", {}, "device"],
    ["wake", { device: "nas", cluster: "home" }, "device"],
    ["wake", { devices: [] }, "devices"],
    ["wake", { devices: ["nas", "N A S"] }, "devices.1"],
    ["wake", { mac: "ff:ff:ff:ff:ff:ff" }, "mac"],
    ["wake", { device: "nas", force: "yes" }, "force"],
    ["power", { device: "nas" }, "action"],
    ["power", { action: "wake" }, "device"],
    ["power", { device: "nas", action: "explode" }, "action"],
  ])("%s does not take %j", (verb, fields, field) => {
    expect(parseFields(verb, fields)).toMatchObject({ ok: false, field });
  });

  test("are refused with a sentence, however many mistakes there are", () => {
    const wrong = Object.fromEntries(Array.from({ length: 10_000 }, (_, number) => [`field-${number}`, number]));
    for (const fields of [wrong, { devices: Array.from({ length: 10_000 }, () => "?") }]) {
      const read = parseFields("wake", fields);
      expect(read.ok ? "" : read.reason).toMatch(/^.{10,301}$/u);
    }
  });
});

test("every verb tells its payloads for documents", () => {
  expect(Object.keys(hubMessages("request"))).toEqual(Object.keys(hubMessages("response")));
  const { wake } = hubMessages("request");
  expect(wake?.payload.safeParse({ device: "nas", transaction: "42" }).success).toBe(true);
});
