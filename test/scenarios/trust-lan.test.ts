import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { isMissing } from "#test/fixtures/commands.ts";
import { type LanWorld, startLanWorld } from "../worlds/lan-world.ts";
import { whyNoNetworks } from "../worlds/networks.ts";
import { type Stage, closeStage, openStage, trustScenarios } from "./trust-scenarios.ts";

/** Two LANs with a router between them, real interfaces, ARP and packets, agents and machines as processes. */

const why = isMissing("ip") ? "ip is missing: apt-get install iproute2" : await whyNoNetworks();
if (why !== undefined) process.stderr.write(`SKIPPED machines on two LANs: ${why}\n`);

const PATIENCE = { timeout: 60_000, interval: 100 };
const LIVES = { timeout: 120_000 };

describe.skipIf(why !== undefined)("machines on two LANs", () => {
  let stage: Stage;
  let world: LanWorld;

  beforeAll(async () => {
    stage = await openStage(async () => (world = await startLanWorld()));
    await world.addAgent(2);
  });

  afterAll(() => closeStage(stage));

  trustScenarios(() => stage);

  const api = () => world.hub.api;
  const deviceOf = async (id: string) => (await api().get(`/devices/${id}`)).body;

  test.concurrent("a machine behind a firewall that drops ICMP is seen by its MAC address", LIVES, async () => {
    const { device } = await world.addMachine({ plan: { answersPing: false } });
    const { body } = await api().post(`/devices/${device.id}/wake?wait=60`);
    expect(body).toMatchObject({ stage: "awake" });
    expect((await deviceOf(device.id)).evidence).toMatchObject({ how: "arp" });
  });

  test.concurrent("another machine at its address is not it, and the doctor says so", LIVES, async () => {
    const sleeper = await world.addMachine();
    const other = await world.addMachine();
    const { address } = sleeper.machine.host;
    await sleeper.machine.moveTo(world.networks.addressOn(1, 250)); // its lease ran out while it slept
    await other.machine.moveTo(address);
    await other.machine.powerOn();
    await vi.waitFor(async () => {
      const { findings } = (await api().get(`/devices/${sleeper.device.id}/doctor`)).body;
      expect(findings.map(({ code }: { code: string }) => code)).toContain("ADDRESS_TAKEN");
    }, PATIENCE);
    // the agent beyond the router sees the other machine, and cannot tell
    await vi.waitFor(async () => expect(await deviceOf(sleeper.device.id)).toMatchObject({ power: "off" }), PATIENCE);
  });

  test.concurrent("a machine that has moved to another address is found by its MAC address", LIVES, async () => {
    const { machine, device } = await world.addMachine();
    await machine.moveTo(world.networks.addressOn(1, 251));
    const { body } = await api().post(`/devices/${device.id}/wake?wait=60`);
    expect(body).toMatchObject({ stage: "awake" });
  });

  test.concurrent("another agent on the segment proves that the packet was on the wire", LIVES, async () => {
    const { device } = await world.addMachine({ plan: { neverBoots: true } });
    await api().patch(`/devices/${device.id}`, { wake: { windowSeconds: 8 } });
    await api().post(`/devices/${device.id}/wake?wait=30`);
    const [last] = (await api().get(`/devices/${device.id}/wakes`)).body.items;
    expect(last.stages.map(({ stage: name }: { stage: string }) => name)).toContain("on-wire");
  });

  test.concurrent("a machine on the other LAN is woken by the agent that is there", LIVES, async () => {
    const { machine, device } = await world.addMachine({ network: 2 });
    const { body } = await api().post(`/devices/${device.id}/wake?wait=60`);
    expect(body).toMatchObject({ stage: "awake" });
    expect(machine.isUp).toBe(true);
  });
});
