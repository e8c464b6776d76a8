import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Receipt } from "#contracts/agent.ts";
import { topics } from "#contracts/topics.ts";
import { type SimulatedMachine, startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";
import { type Scene, startScene } from "./fixtures/scene.ts";

const MAC = "02:00:00:00:00:01";
const WAKE = topics.clusterWake.for("home");

let scene: Scene;
let machine: SimulatedMachine;

beforeEach(async () => {
  scene = await startScene();
  machine = await startSimulatedMachine({ mac: MAC, host: "127.0.1.5" });
});

afterEach(async () => {
  await scene.close();
  await machine.close();
});

function wakeOrder(changes: object = {}) {
  return {
    type: "wake",
    targets: [
      {
        device: "nas",
        mac: MAC,
        secureOn: null,
        agents: [],
        addresses: ["127.255.255.255"],
        ports: [machine.udpPort],
      },
    ],
    burst: { packets: 3, spacingMs: 10 },
    ...changes,
  };
}

function receipts(): Receipt[] {
  return scene.hub.broker
    .on(topics.agentReceipt.for(scene.hub.agent))
    .map(({ payload }) => Receipt.parse(JSON.parse(payload)));
}

describe("an agent that gets a wake order", () => {
  test("sends the burst of magic packets and tells what it sent", async () => {
    const id = randomUUID();
    await scene.order(WAKE, wakeOrder({ id }));

    await expect.poll(() => machine.isUp).toBe(true);
    await expect.poll(receipts).toHaveLength(1);
    expect(machine.packets).toHaveLength(3);
    expect(receipts()[0]).toMatchObject({
      order: id,
      targets: [
        {
          device: "nas",
          outcome: "sent",
          reason: null,
          packets: 3,
          destinations: [{ address: "127.255.255.255", port: machine.udpPort, error: null }],
        },
      ],
    });
  });
});
