import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import pino from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type OperatorDoor, askRunningHub, openOperatorDoor } from "./operator-door.ts";

let dataDir: string;
let doors: OperatorDoor[];
let warnings: string[];

const log = pino({ level: "warn" }, { write: (line) => void warnings.push(JSON.parse(line).msg) });

async function open(answers: (question: unknown) => unknown = (question) => ({ you: question })) {
  const door = await openOperatorDoor(dataDir, answers, log);
  doors.push(door);
  return door;
}

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "pb-door-"));
  [doors, warnings] = [[], []];
});

afterEach(async () => {
  for (const door of doors) await door.close();
  rmSync(dataDir, { recursive: true });
});

const socket = () => join(dataDir, "hub.sock");

test("a question is answered, to the hub's own user alone", async () => {
  await open();
  expect(await askRunningHub(dataDir, { ask: "x" })).toEqual({ you: { ask: "x" } });
  expect(statSync(socket()).mode & 0o777).toBe(0o600);
});

test("what is no question, or ends in a mistake of the hub, is answered with nothing", async () => {
  await open((question) => {
    if (question === "bug") throw new Error("a bug");
    return undefined;
  });
  expect(await askRunningHub(dataDir, "bug")).toBeNull();
  expect(await askRunningHub(dataDir, "what")).toBeNull();
  expect(warnings).toEqual(["a question of the operator failed"]);
});

test("a question that never ends is not read to its end", async () => {
  const asked: unknown[] = [];
  await open((question) => void asked.push(question));
  const client = connect(socket());
  client.write("x".repeat(100_000));
  expect(await text(client)).toBe("null");
  expect(asked).toEqual([undefined]);
});

test("where no hub runs, nobody answers", async () => {
  await expect(askRunningHub(dataDir, {})).rejects.toMatchObject({ code: "ENOENT" });
  const door = await open();
  await door.close();
  await expect(askRunningHub(dataDir, {})).rejects.toThrow();
});

test("a hub that was killed does not keep the next one from answering", async () => {
  writeFileSync(socket(), "");
  await open(() => "the next");
  expect(await askRunningHub(dataDir, {})).toBe("the next");
});

test("a second hub on the same folder leaves the door to the first", async () => {
  await open(() => "the first");
  await open(() => "the second");
  expect(await askRunningHub(dataDir, {})).toBe("the first");
  expect(warnings).toEqual(['this hub cannot answer "powerbeacon doctor"']);
});

test("a hub ends although somebody stands in the door", async () => {
  const door = await open();
  const client = connect(socket());
  client.on("error", () => {});
  await once(client, "connect");
  await door.close();
  await expect.poll(() => client.closed || client.readableEnded).toBe(true);
});
