import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { freshMac, freshName } from "#test/fixtures/scripted-agent.ts";
import { startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";

/** Hub and agent share this process, so its clock is that of both. What counts for a wake is the monotonic one. */

const HOUR_MS = 60 * 60_000;
let hub: TestHub;
let clusterId: string;

beforeAll(async () => {
  hub = await startTestHub();
  clusterId = (await hub.api.post("/clusters", { name: "Lab" })).body.id;
  await hub.startAgent({ name: "Pi", clusterId });
});

afterEach(() => {
  vi.useRealTimers();
});

afterAll(async () => {
  await hub.close();
});

test.each([
  ["on", HOUR_MS],
  ["back", -HOUR_MS],
])(
  "a clock that is put %s by an hour in the middle of a wake changes neither its bursts nor its end",
  async (_way, byMs) => {
    // nothing of the first burst gets through, and orders of another hour are refused until the agent has asked for the time
    const machine = await startSimulatedMachine({ mac: freshMac(), host: "127.0.7.7", packetsNeeded: 4, bootMs: 100 });
    const { body: device } = await hub.api.post("/devices", {
      name: freshName("Box"),
      mac: machine.mac,
      clusterId,
      address: machine.host,
      wake: { addresses: ["127.255.255.255"], ports: [machine.udpPort], windowSeconds: 60 },
      watch: { icmp: false, arp: false, tcpPorts: [machine.tcpPort], intervalSeconds: 1 },
    });
    const { body } = await hub.api.post(`/devices/${device.id}/wake`);
    const wake = async () => (await hub.api.get(`/wakes/${body.wake}`)).body;
    await expect.poll(async () => (await wake()).stage).toBe("sent");

    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + byMs });

    await expect.poll(async () => (await wake()).stage, { timeout: 30_000 }).toBe("awake");
    expect((await wake()).seconds).toBeGreaterThan(1);
    expect((await wake()).seconds).toBeLessThan(60);
    await machine.close();
  },
);
