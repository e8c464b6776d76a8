import { expect, test } from "vitest";
import { Receipt } from "#contracts/agent.ts";
import { topics } from "#contracts/topics.ts";
import { startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";
import { clockOffsets, startScene } from "./fixtures/scene.ts";

const WAKE = topics.clusterWake.for("home");

function wakeOrder(port: number) {
  return {
    type: "wake",
    targets: [
      {
        device: "nas",
        mac: "02:00:00:00:00:01",
        secureOn: null,
        agents: [],
        addresses: ["127.255.255.255"],
        ports: [port],
      },
    ],
    burst: { packets: 1, spacingMs: 0 },
  };
}

test("an agent whose clock is an hour behind obeys the hub's orders and tells how far it is off", async () => {
  const scene = await startScene({ clockAheadMs: 3_600_000 });
  const machine = await startSimulatedMachine({ mac: "02:00:00:00:00:01" });
  await scene.order(WAKE, wakeOrder(machine.udpPort));
  await expect.poll(() => machine.packets).toHaveLength(1);

  const offsetMs = clockOffsets(scene.hub).find((known) => known !== null);
  expect(Math.round((offsetMs ?? 0) / 1_000)).toBe(3_600);
  await scene.close();
  await machine.close();
});

test("an agent that the hub never told its time refuses every order", async () => {
  const scene = await startScene({ tellsTime: false });
  await scene.order(WAKE, wakeOrder(9));
  const receipts = () => scene.hub.broker.on(topics.agentReceipt.for("pi"));
  await expect.poll(receipts).toHaveLength(1);
  expect(Receipt.parse(JSON.parse(receipts()[0]!.payload)).targets[0]).toMatchObject({
    outcome: "refused",
    reason: "CLOCK_UNKNOWN",
  });
  await scene.close();
});
