import { expect, test, vi } from "vitest";
import type { TestMqttClient } from "#test/fixtures/mqtt.ts";
import type { World, WorldAgent } from "../worlds/world.ts";

/** Whatever happens between a wish and a machine: the final state and the recorded reason are the true ones, and no state bounces. */

const PATIENCE = { timeout: 60_000, interval: 100 };

/** What the scenarios have in common; filled before they run. */
export interface Stage {
  world: World;
  agents: readonly [WorldAgent, WorldAgent];
  /** Reads everything that is said of devices. */
  reader: TestMqttClient;
}

export async function openStage(start: () => Promise<World>): Promise<Stage> {
  const world = await start();
  const agents = [await world.addAgent(), await world.addAgent()] as const;
  const { body } = await world.hub.api.post("/mqtt-clients", { name: "Reader", permissions: ["read"] });
  const credential = { username: body.username, password: body.password, protocolVersion: 5 as const };
  return { world, agents, reader: await world.hub.connect(credential, ["powerbeacon/device/#"]) };
}

export async function closeStage({ world, reader }: Stage): Promise<void> {
  await reader.close();
  await world.close();
}

/** The power states that a device went through, as MQTT told them. */
function statesOf({ reader }: Stage, key: string): string[] {
  const powers = reader.on(new RegExp(`/device/${key}/info$`)).map(({ text }) => String(JSON.parse(text).power));
  return powers.filter((power, index) => power !== powers[index - 1]);
}

async function untilPower({ world }: Stage, id: string, power: string): Promise<void> {
  await vi.waitFor(async () => {
    expect((await world.hub.api.get(`/devices/${id}`)).body.power).toBe(power);
  }, PATIENCE);
}

/** The last states that it went through are these, once all is told. */
async function untilStates(stage: Stage, key: string, ...states: string[]): Promise<void> {
  await vi.waitFor(() => expect(statesOf(stage, key).slice(-states.length)).toEqual(states), PATIENCE);
}

const LIVES = { timeout: 120_000 };

/** Each has a machine of its own, so they run side by side. */
export function trustScenarios(stage: () => Stage): void {
  const api = () => stage().world.hub.api;
  const wake = (id: string, seconds = 60) => api().post(`/devices/${id}/wake?wait=${seconds}`);
  const powerOff = (id: string, body: object = { action: "off" }) => api().post(`/devices/${id}/power?wait=60`, body);

  test.concurrent("a network that loses the first packets is sent more until the machine is up", LIVES, async () => {
    const { machine, device } = await stage().world.addMachine({ plan: { packetsNeeded: 8 } });
    expect((await wake(device.id)).body).toMatchObject({ stage: "awake" });
    expect(machine.packets).toBeGreaterThanOrEqual(8);
    await untilStates(stage(), device.key, "off", "waking", "on");
  });

  test.concurrent("a machine that needs twenty seconds is waited for, and its time is kept", LIVES, async () => {
    const { device } = await stage().world.addMachine({ plan: { bootMs: 20_000 } });
    const { body } = await wake(device.id);
    expect(body).toMatchObject({ stage: "awake" });
    expect(body.seconds).toBeGreaterThanOrEqual(20);
    await untilStates(stage(), device.key, "off", "waking", "on");
    expect((await api().get(`/devices/${device.id}`)).body.typicalWakeSeconds).toBe(body.seconds);
  });

  test.concurrent(
    "a machine that never comes is said not to have answered, and what the doctor found",
    LIVES,
    async () => {
      const { machine, device } = await stage().world.addMachine({
        plan: { neverBoots: true },
        device: { wake: { windowSeconds: 8 } },
      });
      if ("simulated" in machine) await api().patch(`/devices/${device.id}`, { wake: { windowSeconds: 8 } });
      const { body } = await wake(device.id);
      expect(body).toMatchObject({ stage: "no-answer" });
      await untilPower(stage(), device.id, "off");
      await untilStates(stage(), device.key, "off", "waking", "off");
      const [last] = (await api().get(`/devices/${device.id}/wakes`)).body.items;
      expect(last.stages.at(-1)).toMatchObject({ stage: "no-answer", findings: expect.any(Array) });
      expect((await api().get(`/devices/${device.id}/doctor`)).body.findings.length).toBeGreaterThan(0);
    },
  );

  test.concurrent("a machine that falls asleep again was awake, and is off", LIVES, async () => {
    const { device } = await stage().world.addMachine({ plan: { sleepsAgainAfterMs: 4_000 } });
    expect((await wake(device.id)).body).toMatchObject({ stage: "awake" });
    await untilPower(stage(), device.id, "off");
    await untilStates(stage(), device.key, "off", "waking", "on", "off");
    expect((await api().get(`/devices/${device.id}`)).body.lastWake).toMatchObject({ outcome: "awake" });
  });

  test.concurrent("its own agent takes a machine down, and it is off when it is seen off", LIVES, async () => {
    const { machine, device } = await stage().world.addMachine({ withAgent: true });
    await wake(device.id);
    await vi.waitFor(async () => {
      if (!(await api().get(`/devices/${device.id}`)).body.canPowerOff) throw new Error("nobody can power it off yet");
    }, PATIENCE);
    const { body } = await powerOff(device.id);
    expect(body).toMatchObject({ action: "shutdown", stage: "off" });
    expect(machine.timesPoweredOff).toBe(1);
    expect(machine.isUp).toBe(false);
    await untilStates(stage(), device.key, "on", "stopping", "off");
  });

  test.concurrent(
    "a machine that is asleep is off, and its agent goes on where it was after a wake",
    LIVES,
    async () => {
      const { machine, device } = await stage().world.addMachine({ withAgent: true });
      await wake(device.id);
      await vi.waitFor(async () => {
        const { powerActions } = (await api().get(`/devices/${device.id}`)).body;
        if (!powerActions.includes("sleep")) throw new Error("it cannot be sent to sleep yet");
      }, PATIENCE);
      expect((await powerOff(device.id, { action: "sleep" })).body).toMatchObject({ stage: "off" });
      expect((await wake(device.id)).body).toMatchObject({ stage: "awake" });
      expect(machine.isUp).toBe(true);
      await untilPower(stage(), device.id, "on");
      expect(machine.timesPoweredOff).toBe(1);
    },
  );

  test.concurrent("a backup that runs keeps its machine up, unless it is forced", LIVES, async () => {
    const { machine, device } = await stage().world.addMachine({
      withAgent: true,
      plan: { inhibitors: ["backup: the nightly backup runs"] },
    });
    await wake(device.id);
    await vi.waitFor(async () => {
      if (!(await api().get(`/devices/${device.id}`)).body.canPowerOff) throw new Error("nobody can power it off yet");
    }, PATIENCE);
    const refused = (await powerOff(device.id)).body;
    expect(refused).toMatchObject({ stage: "failed", code: "INHIBITED" });
    expect(refused.reason).toContain("nightly backup");
    await untilPower(stage(), device.id, "on");
    expect(machine.isUp).toBe(true);
    expect((await powerOff(device.id, { action: "off", force: true })).body).toMatchObject({ stage: "off" });
  });

  test.concurrent("two wakes and an off at the same moment end in what is told of them", LIVES, async () => {
    const { machine, device } = await stage().world.addMachine({ withAgent: true });
    await wake(device.id);
    await vi.waitFor(async () => {
      if (!(await api().get(`/devices/${device.id}`)).body.canPowerOff) throw new Error("nobody can power it off yet");
    }, PATIENCE);
    await Promise.all([wake(device.id), powerOff(device.id), wake(device.id)]);
    const now = await vi.waitFor(async () => {
      const { body } = await api().get(`/devices/${device.id}`);
      if (body.powerOff !== null || body.power === "waking" || body.power === "stopping")
        throw new Error("not over yet");
      return body;
    }, PATIENCE);
    await untilPower(stage(), device.id, machine.isUp ? "on" : "off");
    const { outcome } = now.lastPowerOff;
    expect(["off", "cancelled", "still-on"]).toContain(outcome);
    expect(machine.timesPoweredOff).toBe(outcome === "cancelled" ? machine.timesPoweredOff : 1);
  });
}
