import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { topics } from "#contracts/topics.ts";
import type { Credential } from "./credential.ts";
import { keptLog, type LogLine, temporaryDirectory } from "./fixtures/scene.ts";
import { type StandInHub, startStandInHub } from "./fixtures/stand-in-hub.ts";
import { joinHub } from "./join.ts";
import { HubLink } from "./link.ts";

const TOPIC = topics.agentSightings.for("pi");

let hub: StandInHub;
let credential: Credential;

beforeEach(async () => {
  hub = await startStandInHub();
  const directory = await temporaryDirectory();
  credential = await joinHub({ hubUrl: hub.url, code: hub.joinCode, name: null, stateDir: directory.path });
  await directory.remove();
});

afterEach(() => hub.close());

function startLink(mqttUrl: string) {
  const log = keptLog();
  const turns: string[] = [];
  const link = new HubLink({
    credential: { ...credential, mqttUrl },
    log,
    onConnect: async () => void turns.push("connected"),
    onEnd: () => turns.push("ended"),
    onMessage: () => {},
  });
  link.start();
  return { link, turns, warnings: (): LogLine[] => log.lines.filter(({ level }) => level === "warn") };
}

test("what is said while a connection has not come about is dropped without a word", async () => {
  const silent = createServer().listen(0, "127.0.0.1"); // takes the connection and never answers
  await once(silent, "listening");
  const { link, warnings } = startLink(`ws://127.0.0.1:${(silent.address() as AddressInfo).port}/mqtt`);
  await once(silent, "connection");
  await link.publish(TOPIC, "{}", topics.agentSightings.options);
  expect(warnings()).toEqual([]);
  await link.close(async () => {});
  silent.close();
});

test("what is lost with a connection is told by one line about the connection", async () => {
  const { link, turns, warnings } = startLink(credential.mqttUrl);
  await expect.poll(() => turns).toEqual(["connected"]);
  const lost = Array.from({ length: 50 }, () => link.publish(TOPIC, "{}", topics.agentSightings.options));
  hub.broker.cut();
  await Promise.all(lost);
  await expect.poll(() => turns.slice(0, 2)).toEqual(["connected", "ended"]);
  await expect.poll(() => warnings().map(({ message }) => message)).toContain("Not connected to the hub; trying again");
  expect(warnings().map(({ message }) => message)).not.toContain("A message was not sent");
  await link.close(async () => {});
});
