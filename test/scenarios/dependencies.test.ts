import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type SimulatedMachine, startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";

/** A cluster in which machines need each other, with everything real but the machines. */

let hub: TestHub;
let clusterId: string;
let nas: SimulatedMachine;
let host: SimulatedMachine;
let desk: SimulatedMachine;
let dead: SimulatedMachine;
let orphan: SimulatedMachine;

beforeAll(async () => {
  hub = await startTestHub();
  clusterId = (await hub.api.post("/clusters", { name: "Home" })).body.id;
  await hub.startAgent({ name: "Pi", clusterId });
  const machine = (octet: number, options: object = {}) =>
    startSimulatedMachine({ mac: `02:00:00:00:17:0${octet}`, host: `127.0.17.${octet}`, bootMs: 400, ...options });
  [nas, host, desk, dead, orphan] = await Promise.all([
    machine(1),
    machine(2),
    machine(3),
    machine(4, { neverBoots: true }),
    machine(5),
  ]);
});

afterAll(async () => {
  await hub.close();
  for (const machine of [nas, host, desk, dead, orphan]) await machine.close();
});

async function addDevice(name: string, machine: SimulatedMachine, dependsOn: object[] = []): Promise<string> {
  const { body, status } = await hub.api.post("/devices", {
    name,
    mac: machine.mac,
    clusterId,
    address: machine.host,
    wake: { addresses: ["127.255.255.255"], ports: [machine.udpPort], windowSeconds: 6 },
    watch: { icmp: false, arp: false, tcpPorts: [machine.tcpPort], intervalSeconds: 1 },
    dependsOn,
  });
  expect(status).toBe(201);
  return body.id;
}

test("a cluster comes up in the order of its needs, and what needs a machine that never comes stays down", async () => {
  const nasId = await addDevice("NAS", nas);
  const ready = { type: "tcp", port: nas.tcpPort };
  const hostId = await addDevice("Host", host, [{ deviceId: nasId, ready }]);
  const deskId = await addDevice("Desk", desk, [{ deviceId: hostId }]);
  const deadId = await addDevice("Dead", dead);
  const orphanId = await addDevice("Orphan", orphan, [{ deviceId: deadId }]);
  const power = async (id: string) => (await hub.api.get(`/devices/${id}`)).body.power;
  for (const id of [nasId, hostId, deskId, deadId, orphanId])
    await expect.poll(() => power(id), { timeout: 20_000 }).toBe("off");
  const { body: plan } = await hub.api.get(`/clusters/${clusterId}/plan`);
  const planned = plan.steps.map(({ device }: { device: string }) => device);

  const { body } = await hub.api.post(`/clusters/${clusterId}/wake?wait=30`);

  const ends = Object.fromEntries(
    body.wakes.map(({ device, stage, code }: { device: string; stage: string; code?: string }) => [
      device,
      code ?? stage,
    ]),
  );
  expect(ends).toEqual({ nas: "awake", host: "awake", desk: "awake", dead: "no-answer", orphan: "NEED_FAILED" });
  const firsts = [nas, host, desk].map(({ packetsAt }) => packetsAt[0] ?? Number.NaN);
  expect(firsts).toEqual(firsts.toSorted((a, b) => a - b));
  expect(planned.filter((key: string) => ["nas", "host", "desk"].includes(key))).toEqual(["nas", "host", "desk"]);
  expect(orphan.packets).toEqual([]);
});
