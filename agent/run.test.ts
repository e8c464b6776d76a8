import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Heartbeat, InventoryMessage, SightingBatch } from "#contracts/agent.ts";
import { topics } from "#contracts/topics.ts";
import { type Scene, startScene } from "./fixtures/scene.ts";

const STATUS = topics.agentStatus.for("pi");
const INVENTORY = topics.agentInventory.for("pi");
const HEARTBEAT = topics.agentHeartbeat.for("pi");
const SIGHTINGS = topics.agentSightings.for("pi");

let scene: Scene;

beforeEach(async () => {
  scene = await startScene();
});

afterEach(() => scene.close());

function nonces(): string[] {
  return scene.hub.broker.on(INVENTORY).map(({ payload }) => InventoryMessage.parse(JSON.parse(payload)).nonce);
}

describe("an agent that connects", () => {
  test("tells what it is, then that it is online, then all its sightings", async () => {
    const told = () => scene.hub.broker.published.map(({ topic }) => topic);
    await expect.poll(told).toContain(SIGHTINGS);
    const order = [INVENTORY, STATUS, SIGHTINGS].map((topic) => told().indexOf(topic));
    expect(order).toEqual(order.toSorted((one, other) => one - other));
    expect(order).not.toContain(-1);
  });

  test("keeps its state retained, and its messages not", async () => {
    expect(scene.hub.broker.on(STATUS)).toEqual([{ topic: STATUS, payload: "online", retain: true }]);
    expect(scene.hub.broker.on(INVENTORY)[0]?.retain).toBe(true);
    expect(scene.hub.broker.on(HEARTBEAT)[0]?.retain).toBe(true);
    await expect.poll(() => scene.hub.broker.on(SIGHTINGS)[0]?.retain).toBe(false);
  });

  test("publishes what the contract says", async () => {
    await expect.poll(() => scene.hub.broker.on(SIGHTINGS)).not.toEqual([]);
    const [inventory] = scene.hub.broker.on(INVENTORY).map(({ payload }) => JSON.parse(payload));
    expect(InventoryMessage.parse(inventory)).toEqual(inventory);
    expect(inventory).toMatchObject({ os: "linux", capabilities: expect.arrayContaining(["wake", "tcp"]) });
    const [heartbeat] = scene.hub.broker.on(HEARTBEAT).map(({ payload }) => JSON.parse(payload));
    expect(Heartbeat.parse(heartbeat)).toEqual(heartbeat);
    expect(heartbeat).toMatchObject({ sequence: 1 });
    expect(heartbeat.memoryUsedPercent).toBeGreaterThan(0);
    expect(heartbeat.memoryUsedPercent).toBeLessThan(100);
    const [batch] = scene.hub.broker.on(SIGHTINGS).map(({ payload }) => SightingBatch.parse(JSON.parse(payload)));
    expect(batch).toMatchObject({ full: true, sightings: [] });
  });
});

describe("an agent whose connection breaks", () => {
  test("comes back by itself with a fresh nonce and fresh state", async () => {
    const [first] = nonces();
    scene.hub.broker.cut();
    await expect.poll(() => scene.hub.broker.on(STATUS).at(-1)?.payload, { timeout: 5_000 }).toBe("online");
    await expect.poll(() => nonces().length, { timeout: 5_000 }).toBe(2);
    expect(nonces()[1]).not.toBe(first);
  });

  test("comes back to a broker that was restarted and has forgotten everything", async () => {
    await scene.hub.broker.stop();
    await expect.poll(() => scene.log.lines.some(({ message }) => message.startsWith("Not connected"))).toBe(true);
    await scene.hub.broker.start();

    await expect.poll(() => scene.hub.broker.retained.get(STATUS), { timeout: 10_000 }).toBe("online");
    await expect.poll(() => scene.hub.broker.retained.has(HEARTBEAT)).toBe(true);
    expect(scene.hub.broker.retained.has(INVENTORY)).toBe(true);
  });
});

test("an agent that reads its own late Will says again that it is online", async () => {
  await scene.hub.broker.publish(STATUS, "offline", true);
  await expect.poll(() => scene.hub.broker.retained.get(STATUS)).toBe("online");
});

test("an agent tells a hub that has just started everything anew", async () => {
  const before = scene.hub.broker.on(SIGHTINGS).length;
  await scene.hub.broker.publish(topics.hubStatus.name, "online", true);
  await expect.poll(() => nonces().length).toBe(2);
  await expect.poll(() => scene.hub.broker.on(SIGHTINGS).length).toBe(before + 1);
  expect(JSON.parse(scene.hub.broker.on(SIGHTINGS).at(-1)!.payload)).toMatchObject({ full: true });
});

test("an agent that is closed says that it is offline", async () => {
  const startedMs = performance.now();
  await scene.agent.close();
  expect(scene.hub.broker.retained.get(STATUS)).toBe("offline");
  expect(performance.now() - startedMs).toBeLessThan(5_000);
});

describe("an agent whose credential was taken back", () => {
  test("is told so by a signed order", async () => {
    await scene.order(topics.agentOrder.for("pi"), { type: "revoked" });
    await expect.poll(() => scene.revoked.count).toBe(1);
  });

  test("takes no notice of such an order for another agent", async () => {
    const forAnother = scene.hub.order(topics.agentOrder.for("nuc"), { type: "revoked" });
    await scene.hub.broker.publish(topics.agentOrder.for("pi"), await scene.hub.sign(forAnother));
    await expect
      .poll(() => scene.log.lines.map(({ message }) => message))
      .toContain("An order was refused: WRONG_AUDIENCE");
    expect(scene.revoked.count).toBe(0);
  });

  test("says clearly that the hub refuses it, and does not try again at once", async () => {
    scene.hub.broker.access.isOpen = false;
    scene.hub.broker.cut();
    const refusals = () => scene.log.lines.filter(({ message }) => message.startsWith("The hub refuses this agent"));
    await expect.poll(refusals, { timeout: 5_000 }).toHaveLength(1);
    const { seconds } = refusals()[0]!.details as { seconds: number };
    expect(seconds).toBeGreaterThan(200);
  });
});
