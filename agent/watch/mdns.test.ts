import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Mdns } from "./mdns.ts";
import { isLocalName, mdnsAddresses, mdnsQuestion } from "./mdns.rules.ts";

const header = (records: number) => Buffer.from([0, 0, 0x84, 0, 0, 0, 0, records, 0, 0, 0, 0]);
const named = (name: string) =>
  Buffer.concat([
    ...name.split(".").map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)])),
    Buffer.of(0),
  ]);
const record = (owner: Buffer, type: number, data: Buffer) =>
  Buffer.concat([owner, Buffer.from([0, type, 0x80, 1, 0, 0, 0, 120, 0, data.length]), data]);
const a = (owner: Buffer, address: string) => record(owner, 1, Buffer.from(address.split(".").map(Number)));

describe("a response", () => {
  test("gives the addresses of the name that was asked for, however it is written", () => {
    const v6 = Buffer.from("fe80000000000000020000fffe000001", "hex");
    const pointer = Buffer.of(0xc0, 12);
    const message = Buffer.concat([
      header(3),
      a(named("NAS.local"), "10.0.0.9"),
      record(pointer, 28, v6),
      a(named("other.local"), "10.0.0.8"),
    ]);
    expect(mdnsAddresses(message, "nas.local.")).toEqual(["10.0.0.9", "fe80::200:ff:fe00:1"]);
  });

  test.each<[string, Buffer]>([
    ["is empty", Buffer.alloc(0)],
    ["is a question", mdnsQuestion("nas.local") ?? Buffer.alloc(0)],
    ["ends in the middle of a record", Buffer.concat([header(1), a(named("nas.local"), "10.0.0.9")]).subarray(0, -2)],
    ["has a name that points to itself", Buffer.concat([header(1), a(Buffer.of(0xc0, 12), "10.0.0.9")])],
    ["claims more records than it has", Buffer.concat([header(255), named("x.local")])],
  ])("that %s gives none", (_what, message) => {
    expect(mdnsAddresses(message, "nas.local")).toEqual([]);
  });
});

test("only names below .local are asked for so, and only those that DNS can hold", () => {
  expect(["nas.local", "NAS.Local.", "a.b.local"].map(isLocalName)).toEqual([true, true, true]);
  expect(["nas", ".local", "nas.lan", "local"].map(isLocalName)).toEqual([false, false, false, false]);
  expect(mdnsQuestion(`${"x".repeat(64)}.local`)).toBeUndefined();
  expect(mdnsQuestion("nas..local")).toBeUndefined();
});

describe("a machine that is asked for by its name", () => {
  let machine: Socket;
  let mdns: Mdns;

  beforeEach(async () => {
    machine = createSocket("udp4");
    machine.bind({ address: "127.0.7.5", port: 0 });
    await once(machine, "listening");
    const group = { address: "127.0.7.5", port: machine.address().port };
    mdns = new Mdns({ group, from: () => ["127.0.7.1"], withinMs: 300 });
  });

  afterEach(() => machine.close());

  test("answers itself", async () => {
    machine.on("message", (question, asker) => {
      if (question.includes(named("nas.local")))
        machine.send(Buffer.concat([header(1), a(named("nas.local"), "127.0.7.5")]), asker.port, asker.address);
    });
    expect(await mdns.ask("nas.local")).toEqual({ addresses: ["127.0.7.5"], from: "127.0.7.5" });
  });

  test("is nowhere when nobody answers, or only with nonsense", async () => {
    machine.on("message", (_question, asker) => machine.send("nonsense", asker.port, asker.address));
    expect(await mdns.ask("nas.local")).toBeUndefined();
  });
});
