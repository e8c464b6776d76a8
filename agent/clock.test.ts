import { describe, test } from "vitest";
import { WakeReceipt } from "#contracts/agent.ts";
import { topics } from "#contracts/topics.ts";
import { startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";
import { clockOffsets, type Scene, startScene } from "./fixtures/scene.ts";

const MAC = "02:00:00:00:00:01";
const WAKE = topics.clusterWake.for("home");

function wakeOrder(port: number) {
  return {
    type: "wake",
    targets: [
      {
        device: "nas",
        mac: MAC,
        secureOn: null,
        agents: [],
        addresses: ["127.255.255.255"],
        ports: [port],
      },
    ],
    burst: { packets: 1, spacingMs: 0 },
  };
}

function outcomes(scene: Scene): string[] {
  const receipts = scene.hub.broker.on(topics.agentReceipt.for("pi"));
  return receipts.flatMap(({ payload }) =>
    WakeReceipt.parse(JSON.parse(payload)).targets.map(({ outcome, reason }) => reason ?? outcome),
  );
}

function timesTold(scene: Scene): number {
  return scene.hub.broker.on(topics.agentOrder.for("pi")).length;
}

describe.concurrent("an agent whose hub's clock is set", () => {
  test.for([
    ["an hour ahead", 3_600_000, "NOT_YET_VALID"],
    ["an hour back", -3_600_000, "EXPIRED"],
  ] as const)("%s refuses one order, asks for the time, and obeys the next", async ([, aheadMs, refusal], context) => {
    const { expect } = context;
    const scene = await startScene();
    const machine = await startSimulatedMachine({ mac: MAC });
    context.onTestFinished(async () => {
      await scene.close();
      await machine.close();
    });
    scene.hub.clock.aheadMs = aheadMs;
    await scene.order(WAKE, wakeOrder(machine.udpPort));
    await expect.poll(() => timesTold(scene)).toBe(2);
    await scene.order(WAKE, wakeOrder(machine.udpPort));
    await expect.poll(() => outcomes(scene)).toEqual([refusal, "sent"]);
    await expect.poll(() => machine.packets).toHaveLength(1);
  });
});

test.concurrent("an agent whose clock is an hour behind obeys the hub's orders and tells how far it is off", async ({
  expect,
}) => {
  const scene = await startScene({ clockAheadMs: 3_600_000 });
  const machine = await startSimulatedMachine({ mac: MAC });
  await scene.order(WAKE, wakeOrder(machine.udpPort));
  await expect.poll(() => machine.packets).toHaveLength(1);

  const offsetMs = clockOffsets(scene.hub).find((known) => known !== null);
  expect(Math.round((offsetMs ?? 0) / 1_000)).toBe(3_600);
  await scene.close();
  await machine.close();
});

test.concurrent("an agent that the hub never told its time refuses every order, until the hub answers", async ({
  expect,
}) => {
  const scene = await startScene({ tellsTime: false });
  await scene.order(WAKE, wakeOrder(9));
  await expect.poll(() => outcomes(scene)).toEqual(["CLOCK_UNKNOWN"]);
  scene.hub.clock.isTold = true;
  await expect.poll(() => timesTold(scene)).toBe(1);
  await scene.order(WAKE, wakeOrder(9));
  await expect.poll(() => outcomes(scene)).toEqual(["CLOCK_UNKNOWN", "sent"]);
  await scene.close();
});
