import { randomUUID } from "node:crypto";
import { generateKeyPair, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WakeReceipt } from "#contracts/agent.ts";
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

function target(changes: object = {}) {
  return {
    device: "nas",
    mac: MAC,
    secureOn: null,
    agents: [],
    addresses: ["127.255.255.255"],
    ports: [machine.udpPort],
    ...changes,
  };
}

function wakeOrder(changes: object = {}) {
  return { type: "wake", targets: [target()], burst: { packets: 3, spacingMs: 10 }, ...changes };
}

function receipts(): WakeReceipt[] {
  return scene.hub.broker
    .on(topics.agentReceipt.for(scene.hub.agent))
    .map(({ payload }) => WakeReceipt.parse(JSON.parse(payload)));
}

/** Sends a good order and waits for its receipt: whatever came before it has been dealt with by then. */
async function afterGoodOrder(): Promise<readonly Buffer[]> {
  const id = randomUUID();
  await scene.order(
    WAKE,
    wakeOrder({ id, targets: [target({ device: "last" })], burst: { packets: 1, spacingMs: 0 } }),
  );
  await expect.poll(() => receipts().some(({ order }) => order === id)).toBe(true);
  await expect.poll(() => machine.packets.length).toBeGreaterThan(0);
  return machine.packets;
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

  test("sends for the targets that name it, and tells of no others", async () => {
    const targets = [target({ device: "mine", agents: ["pi"] }), target({ device: "not-mine", agents: ["nuc"] })];
    await scene.order(WAKE, wakeOrder({ targets, burst: { packets: 1, spacingMs: 0 } }));

    await expect.poll(receipts).toHaveLength(1);
    expect(receipts()[0]?.targets.map(({ device }) => device)).toEqual(["mine"]);
    expect(machine.packets).toHaveLength(1);
  });

  test("sends on all other ways when one fails, and says which", async () => {
    const addresses = ["2001:db8::1", "127.255.255.255"];
    await scene.order(WAKE, wakeOrder({ targets: [target({ addresses, ports: [machine.udpPort] })] }));

    await expect.poll(receipts).toHaveLength(1);
    expect(receipts()[0]?.targets[0]?.destinations).toContainEqual(
      expect.objectContaining({ address: "127.255.255.255", error: null }),
    );
    await expect.poll(() => machine.packets).toHaveLength(3);
  });

  test("sends five orders of 200 targets within a second and a half", async () => {
    const orders = Array.from({ length: 5 }, (_, order) =>
      wakeOrder({
        targets: Array.from({ length: 200 }, (_unused, index) =>
          target({ device: `device-${order}-${index}`, ports: [machine.udpPort, 9] }),
        ),
        burst: { packets: 3, spacingMs: 100 },
      }),
    );
    const signed = await Promise.all(orders.map((order) => scene.hub.sign(scene.hub.order(WAKE, order))));
    const startedMs = performance.now();
    await Promise.all(signed.map((jws) => scene.hub.broker.publish(WAKE, jws)));

    await expect.poll(receipts).toHaveLength(5);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    const sent = receipts().flatMap(({ targets }) => targets);
    expect(sent).toHaveLength(1_000);
    expect(sent.every(({ outcome, packets }) => outcome === "sent" && packets === 6)).toBe(true);
  });
});

describe("an agent refuses a signed order, and says why,", () => {
  test.for([
    ["that was meant for another topic", { aud: "cluster/office/wake" }, "WRONG_AUDIENCE"],
    ["that has expired", { iat: Date.now() / 1000 - 60, exp: Date.now() / 1000 - 30 }, "EXPIRED"],
    ["that was issued before the hub told its time", { iat: Date.now() / 1000 - 5 }, "EXPIRED"],
    ["that comes from the future", { iat: Date.now() / 1000 + 60, exp: Date.now() / 1000 + 90 }, "NOT_YET_VALID"],
  ] as const)("%s", async ([, claims, reason]) => {
    await scene.order(WAKE, wakeOrder(claims));

    await expect.poll(receipts).toHaveLength(1);
    expect(receipts()[0]?.targets).toEqual([
      { device: "nas", outcome: "refused", reason, packets: 0, destinations: [] },
    ]);
    expect(await afterGoodOrder()).toHaveLength(1);
  });

  test("that it has carried out already", async () => {
    const jws = await scene.hub.sign(scene.hub.order(WAKE, wakeOrder({ burst: { packets: 1, spacingMs: 0 } })));
    await scene.hub.broker.publish(WAKE, jws);
    await scene.hub.broker.publish(WAKE, jws);

    await expect.poll(receipts).toHaveLength(2);
    expect(receipts().map(({ targets }) => targets[0]?.reason)).toEqual(expect.arrayContaining([null, "REPEATED"]));
    expect(await afterGoodOrder()).toHaveLength(2);
  });
});

describe("an agent neither sends nor answers", () => {
  test("an order that another key has signed", async () => {
    const { privateKey } = await generateKeyPair("EdDSA");
    const forged = await new SignJWT(scene.hub.order(WAKE, wakeOrder()))
      .setProtectedHeader({ alg: "EdDSA" })
      .sign(privateKey);
    await scene.hub.broker.publish(WAKE, forged);

    expect(await afterGoodOrder()).toHaveLength(1);
    expect(receipts()).toHaveLength(1);
  });

  test("an order that names another key", async () => {
    const jws = await scene.hub.sign(scene.hub.order(WAKE, wakeOrder()), { kid: "another" });
    await scene.hub.broker.publish(WAKE, jws);

    expect(await afterGoodOrder()).toHaveLength(1);
    expect(receipts()).toHaveLength(1);
  });

  test("a wake request, which is for the hub", async () => {
    for (const request of ["", "*", "nas", '{"devices":["nas"]}']) await scene.hub.broker.publish(WAKE, request);

    expect(await afterGoodOrder()).toHaveLength(1);
    expect(receipts()).toHaveLength(1);
    expect(scene.log.lines.filter(({ level }) => level === "warn")).toEqual([]);
  });

  test("a retained order", async () => {
    await scene.hub.broker.publish(WAKE, await scene.hub.sign(scene.hub.order(WAKE, wakeOrder())), true);

    expect(await afterGoodOrder()).toHaveLength(1);
    expect(receipts()).toHaveLength(1);
    expect(scene.log.lines).toContainEqual(
      expect.objectContaining({ message: "An order must never be retained; it was ignored" }),
    );
  });
});
