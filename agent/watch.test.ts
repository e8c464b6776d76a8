import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Sighting, SightingBatch } from "#contracts/agent.ts";
import { topics } from "#contracts/topics.ts";
import { type SimulatedMachine, startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";
import { type Scene, startScene } from "./fixtures/scene.ts";

const MAC = "02:00:00:00:00:01";
const WATCH = topics.agentWatch.for("pi");
const WAKE = topics.clusterWake.for("home");

let scene: Scene;
let machine: SimulatedMachine;

beforeEach(async () => {
  scene = await startScene();
  machine = await startSimulatedMachine({ mac: MAC, host: "127.0.1.5", bootMs: 20 });
});

afterEach(async () => {
  await scene.close();
  await machine.close();
});

function device(changes: object = {}) {
  return {
    device: "nas",
    mac: MAC,
    address: machine.host,
    icmp: false,
    arp: false,
    tcpPorts: [machine.tcpPort],
    intervalSeconds: 1,
    ...changes,
  };
}

async function watch(version: number, devices: readonly object[]): Promise<void> {
  const list = { type: "watch", aud: WATCH, version, iat: scene.hub.now(), devices };
  await scene.hub.broker.publish(WATCH, await scene.hub.sign(list), true);
}

async function wake(): Promise<void> {
  await scene.order(WAKE, {
    type: "wake",
    targets: [
      { device: "nas", mac: MAC, secureOn: null, agents: [], addresses: ["127.255.255.255"], ports: [machine.udpPort] },
    ],
    burst: { packets: 1, spacingMs: 0 },
  });
}

async function machineIsUp(): Promise<void> {
  await wake();
  await expect.poll(() => machine.isUp).toBe(true);
}

function batches(): SightingBatch[] {
  return scene.hub.broker
    .on(topics.agentSightings.for("pi"))
    .map(({ payload }) => SightingBatch.parse(JSON.parse(payload)));
}

function sightingsOf(key: string): Sighting[] {
  return batches().flatMap(({ sightings }) => sightings.filter(({ device: seen }) => seen === key));
}

function states(key: string): boolean[] {
  return sightingsOf(key).map(({ up }) => up);
}

const WITHIN = { timeout: 8_000 };

describe("an agent that watches a device", () => {
  test("sees it up by TCP, and where", async () => {
    await machineIsUp();
    await watch(1, [device()]);

    await expect.poll(() => states("nas"), WITHIN).toEqual([true]);
    expect(sightingsOf("nas")[0]).toMatchObject({ up: true, how: "tcp", address: "127.0.1.5", mac: null });
  });

  test("says that it is down only after it has looked three times", async () => {
    await watch(1, [device()]);
    const startedMs = performance.now();
    await expect.poll(() => states("nas"), WITHIN).toEqual([false]);
    expect(performance.now() - startedMs).toBeGreaterThan(1_900);
    expect(sightingsOf("nas")[0]).toMatchObject({ how: null, address: null, mac: null });
  });

  test("looks every second after a wake order, whoever sends, and tells at once that it is up", async () => {
    await watch(1, [device({ intervalSeconds: 3_600 })]);
    await expect.poll(() => states("nas"), WITHIN).toEqual([false]);
    await wake();
    await expect.poll(() => states("nas"), WITHIN).toEqual([false, true]);
  });

  test("sees it go down again", async () => {
    await machineIsUp();
    await watch(1, [device()]);
    await expect.poll(() => states("nas"), WITHIN).toEqual([true]);
    await machine.powerOff();
    await expect.poll(() => states("nas").at(-1), WITHIN).toBe(false);
  });

  test("finds it by its host name", async () => {
    await watch(1, [device({ address: "localhost", device: "by-name", tcpPorts: [portOf(scene.hub.url)] })]);
    await expect.poll(() => states("by-name"), WITHIN).toEqual([true]);
  });

  test("says nothing of a device without address that no neighbour entry tells of", async () => {
    await watch(1, [device({ device: "nowhere", address: null, intervalSeconds: 1 }), device()]);
    await expect.poll(() => states("nas"), WITHIN).toEqual([false]); // three looks
    expect(states("nowhere")).toEqual([]);
  });
});

describe("a connection begins with all that is known", () => {
  test("in one batch that is marked as full", async () => {
    await machineIsUp();
    await watch(1, [device()]);
    await expect.poll(() => states("nas"), WITHIN).toEqual([true]);
    const before = batches().length;
    scene.hub.broker.cut();

    await expect.poll(() => batches().length, WITHIN).toBeGreaterThan(before);
    expect(batches()[before]).toMatchObject({ full: true, sightings: [{ device: "nas", up: true }] });
  });
});

describe("a watch list", () => {
  test("takes the place of an older one, and not of a newer one", async () => {
    await machineIsUp();
    await watch(2, [device({ device: "newer" })]);
    await expect.poll(() => states("newer"), WITHIN).toEqual([true]);
    await watch(1, [device({ device: "older" })]);
    await expect
      .poll(() => scene.log.lines.map(({ message }) => message))
      .toContain("A watch list older than the last was ignored");
    await watch(3, [device({ device: "newest" })]);
    await expect.poll(() => states("newest"), WITHIN).toEqual([true]);
    expect(states("older")).toEqual([]);
  });

  test("that is not signed, or is for another agent, is ignored", async () => {
    await scene.hub.broker.publish(WATCH, JSON.stringify({ type: "watch", version: 9, devices: [] }), true);
    const aud = topics.agentWatch.for("nuc");
    const forAnother = {
      type: "watch",
      aud,
      version: 9,
      iat: scene.hub.now(),
      devices: [device({ device: "theirs" })],
    };
    await scene.hub.broker.publish(WATCH, await scene.hub.sign(forAnother), true);
    await machineIsUp();
    await watch(1, [device()]);
    await expect.poll(() => states("nas"), WITHIN).toEqual([true]);
    expect(states("theirs")).toEqual([]);
  });
});

function portOf(url: string): number {
  return Number(new URL(url).port);
}
