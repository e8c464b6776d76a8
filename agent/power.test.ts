import { randomUUID } from "node:crypto";
import { generateKeyPair, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InventoryMessage, PowerReceipt } from "#contracts/agent.ts";
import { topics } from "#contracts/topics.ts";
import { type Scene, startScene } from "./fixtures/scene.ts";
import { type SimulatedPower, type SimulatedPowerOptions, simulatedPower } from "./fixtures/simulated-power.ts";

const MAC = "02:00:00:00:00:01";
const ORDER = topics.agentOrder.for("pi");
const WAKE = topics.clusterWake.for("home");

let scene: Scene;
let power: SimulatedPower;

async function start(options: SimulatedPowerOptions = {}): Promise<void> {
  power = simulatedPower({ macs: [MAC], ...options });
  scene = await startScene({ power });
}

afterEach(() => scene.close());

function powerOrder(changes: object = {}) {
  const order = { type: "power", device: "nas", mac: MAC, chosen: false, action: "shutdown" };
  return { ...order, force: false, countdownSeconds: 0, strand: false, ...changes };
}

function wakeOrder(mac: string, changes: object = {}) {
  const target = { device: "nas", mac, secureOn: null, agents: ["another"], addresses: [], ports: [9] };
  return { type: "wake", targets: [target], burst: { packets: 1, spacingMs: 0 }, ...changes };
}

/** Signs an order of which the id is needed, and publishes it. */
async function send(claims: object): Promise<string> {
  const order = scene.hub.order(ORDER, claims);
  await scene.hub.broker.publish(ORDER, await scene.hub.sign(order));
  return order.id;
}

function receipts(): PowerReceipt[] {
  return scene.hub.broker
    .on(topics.agentReceipt.for("pi"))
    .map(({ payload }) => PowerReceipt.parse(JSON.parse(payload)));
}

function outcomes(): string[] {
  return receipts().map(({ power: { outcome, code } }) => code ?? outcome);
}

async function isAnnounced(): Promise<void> {
  await expect.poll(outcomes).toEqual(["announced"]);
  await expect.poll(() => power.told).toHaveLength(1);
}

/** A good order, which goes through at once: whatever came before it has been dealt with by then. */
async function afterGoodOrder(): Promise<string[]> {
  const id = await send(powerOrder({ action: "sleep" }));
  await expect.poll(() => receipts().some(({ order }) => order === id)).toBe(true);
  await expect.poll(() => power.downs.map(({ action }) => action)).toContain("sleep");
  return power.downs.map(({ action }) => action);
}

describe("the agent on a machine", () => {
  beforeEach(() => start());

  test("takes it down when the hub orders it, and says so before", async () => {
    const saidBefore: string[][] = [];
    await scene.close();
    await start({ goDown: () => void saidBefore.push(outcomes()) });
    const id = await send(powerOrder());
    await expect.poll(() => power.downs).toEqual([{ action: "shutdown", force: false }]);
    expect(saidBefore).toEqual([["acknowledged"]]);
    expect(receipts()[0]).toMatchObject({
      order: id,
      power: { device: "nas", armed: true, users: 1, code: null, reason: null, until: null },
    });
    expect(power.told).toEqual([]);
  });

  test("lets people know and counts down, then takes it down", async () => {
    await send(powerOrder({ countdownSeconds: 1 }));
    await expect.poll(() => power.downs, { timeout: 5_000 }).toHaveLength(1);
    const [announced, acknowledged] = receipts();
    expect(outcomes()).toEqual(["announced", "acknowledged"]);
    expect(Date.parse(announced?.power.until ?? "") - Date.parse(announced?.at ?? "")).toBeLessThanOrEqual(1_000);
    expect(Date.parse(acknowledged?.at ?? "")).toBeGreaterThanOrEqual(Date.parse(announced?.power.until ?? "") - 50);
    expect(power.told).toEqual([expect.stringContaining("shuts down in 1 seconds")]);
  });

  test("has nobody to ask where nobody is logged in", async () => {
    await scene.close();
    await start({ users: 0 });
    await send(powerOrder({ countdownSeconds: 600 }));
    await expect.poll(() => power.downs).toHaveLength(1);
    expect(outcomes()).toEqual(["acknowledged"]);
  });

  test("tells in its inventory what it can do", async () => {
    const [{ payload } = { payload: "" }] = scene.hub.broker.on(topics.agentInventory.for("pi"));
    const { machine, capabilities } = InventoryMessage.parse(JSON.parse(payload));
    expect(machine?.powerActions).toEqual(["shutdown", "sleep", "hibernate", "reboot"]);
    expect(capabilities).toContain("power");
  });

  test("says in the system's words why a command failed, and obeys the next order", async () => {
    await scene.close();
    const broken = { words: "Interactive authentication required." };
    await start({
      goDown: (action) => {
        if (action === "shutdown") throw new Error(broken.words);
      },
    });
    await send(powerOrder());
    await expect.poll(outcomes).toEqual(["acknowledged", "failed"]);
    expect(receipts()[1]?.power.reason).toBe(broken.words);
    expect(await afterGoodOrder()).toEqual(["shutdown", "sleep"]);
  });
});

describe("a machine that counts down stays up", () => {
  beforeEach(() => start());

  test("when the hub takes the order back", async () => {
    const id = await send(powerOrder({ countdownSeconds: 600 }));
    await isAnnounced();
    await send({ type: "power-cancel", order: id });
    await expect.poll(outcomes).toEqual(["announced", "cancelled"]);
    expect(power.told[1]).toBe("This machine stays up after all: The hub took it back");
    expect(await afterGoodOrder()).toEqual(["sleep"]);
  });

  test("when the order that the hub took back comes only after that", async () => {
    const order = scene.hub.order(ORDER, powerOrder());
    await send({ type: "power-cancel", order: order.id });
    await scene.hub.broker.publish(ORDER, await scene.hub.sign(order));
    await expect.poll(outcomes).toEqual(["cancelled"]);
    expect(await afterGoodOrder()).toEqual(["sleep"]);
  });

  test("but not when the hub takes another order back", async () => {
    await send(powerOrder({ countdownSeconds: 1 }));
    await isAnnounced();
    await send({ type: "power-cancel", order: randomUUID() });
    await expect.poll(() => power.downs, { timeout: 5_000 }).toHaveLength(1);
  });

  test("when somebody there says not now", async () => {
    await send(powerOrder({ countdownSeconds: 600 }));
    await isAnnounced();
    expect(scene.agent.notNow("ann")).toBe(true);
    await expect.poll(outcomes).toEqual(["announced", "cancelled"]);
    expect(receipts()[1]?.power.reason).toBe("ann said not now");
    expect(scene.agent.notNow("ann")).toBe(false);
  });

  test("when somebody wakes it in the meantime", async () => {
    await send(powerOrder({ countdownSeconds: 600 }));
    await isAnnounced();
    await scene.order(WAKE, wakeOrder("02:00:00:00:00:99"));
    await scene.order(WAKE, wakeOrder(MAC));
    await expect.poll(outcomes).toEqual(["announced", "cancelled"]);
    expect(receipts()[1]?.power.reason).toBe("It was woken in the meantime");
  });

  test("when its agent ends, which says so first", async () => {
    await send(powerOrder({ countdownSeconds: 600 }));
    await isAnnounced();
    await scene.agent.close();
    expect(outcomes()).toEqual(["announced", "cancelled"]);
    expect(power.downs).toEqual([]);
  });

  test("when it loses its connection, and tells the hub as soon as it has one again", async () => {
    await send(powerOrder({ countdownSeconds: 600 }));
    await isAnnounced();
    scene.hub.broker.cut();
    await expect.poll(outcomes, { timeout: 10_000 }).toEqual(["announced", "cancelled"]);
    expect(receipts()[1]?.power.reason).toContain("lost its connection");
  });

  test("when the hub ends", async () => {
    await send(powerOrder({ countdownSeconds: 600 }));
    await isAnnounced();
    await scene.hub.broker.publish(topics.hubStatus.name, "offline", true);
    await expect.poll(outcomes).toEqual(["announced", "cancelled"]);
  });

  test("when it was suspended in the meantime", async () => {
    await send(powerOrder({ countdownSeconds: 1 }));
    await isAnnounced();
    scene.wall.aheadMs = 8 * 3_600_000;
    await expect.poll(outcomes, { timeout: 5_000 }).toHaveLength(2);
    expect(["CLOCK_UNKNOWN", "cancelled"]).toContain(outcomes()[1]); // by the look at the end, or by the suspend's own watch
    expect(power.downs).toEqual([]);
  });

  test("when a job began in the meantime", async () => {
    await send(powerOrder({ countdownSeconds: 1 }));
    await isAnnounced();
    power.held = ["backup: copies the disk"];
    await expect.poll(outcomes, { timeout: 5_000 }).toEqual(["announced", "INHIBITED"]);
    expect(power.told[1]).toContain("backup: copies the disk");
  });
});

describe("a machine that is asked to stay up", () => {
  beforeEach(() => start());

  test("refuses, says what holds it up, and goes down when it is forced", async () => {
    power.held = ["packagekit: Updating packages"];
    await send(powerOrder());
    await expect.poll(outcomes).toEqual(["INHIBITED"]);
    expect(receipts()[0]?.power.reason).toBe("It is held up by packagekit: Updating packages");
    await send(powerOrder({ force: true }));
    await expect.poll(() => power.downs).toEqual([{ action: "shutdown", force: true }]);
  });

  test("refuses while a job has its file in inhibit.d", async () => {
    const folder = join(scene.stateDir, "inhibit.d");
    await mkdir(folder);
    await writeFile(join(folder, "backup"), "Nightly backup to tape\nmore");
    await send(powerOrder());
    await expect.poll(outcomes).toEqual(["INHIBITED"]);
    expect(receipts()[0]?.power.reason).toBe("It is held up by Nightly backup to tape");
    await rm(join(folder, "backup"));
    await send(powerOrder());
    await expect.poll(() => power.downs).toHaveLength(1);
  });
});

describe("a machine whose network card cannot be armed", () => {
  beforeEach(() => start({ armed: false }));

  test("goes down by no order, unless that says that it may be stranded", async () => {
    await send(powerOrder());
    await expect.poll(outcomes).toEqual(["NOT_ARMED"]);
    expect(power.cards).toEqual([MAC]);
    await send(powerOrder({ strand: true }));
    await expect.poll(() => power.downs).toHaveLength(1);
    expect(receipts()[1]?.power).toMatchObject({ outcome: "acknowledged", armed: false });
  });

  test("reboots, since nobody has to wake it then", async () => {
    await send(powerOrder({ action: "reboot" }));
    await expect.poll(() => power.downs).toEqual([{ action: "reboot", force: false }]);
    expect(power.cards).toEqual([]);
  });
});

test("a machine that cannot do what is ordered says why", async () => {
  await start({ actions: [], problem: "The agent runs in a container" });
  await send(powerOrder());
  await expect.poll(outcomes).toEqual(["NOT_ABLE"]);
  expect(receipts()[0]?.power.reason).toBe("The agent runs in a container");
});

describe("an order that comes in the wrong way takes nothing down:", () => {
  beforeEach(() => start());

  test("one that was carried out already", async () => {
    const jws = await scene.hub.sign(scene.hub.order(ORDER, powerOrder()));
    for (let time = 0; time < 3; time += 1) await scene.hub.broker.publish(ORDER, jws);
    await expect.poll(outcomes).toHaveLength(3);
    expect(outcomes().toSorted()).toEqual(["REPEATED", "REPEATED", "acknowledged"]);
    expect(power.downs).toHaveLength(1);
  });

  test("the second of two at once", async () => {
    await send(powerOrder({ countdownSeconds: 600 }));
    await send(powerOrder({ action: "reboot" }));
    await expect.poll(outcomes).toHaveLength(2);
    expect(outcomes().toSorted()).toEqual(["BUSY", "announced"]);
    expect(power.downs).toEqual([]);
  });

  test.for([
    ["that has expired", { iat: Date.now() / 1000 - 60, exp: Date.now() / 1000 - 30 }, "EXPIRED"],
    ["of before the hub told its time, whatever it says itself", { iat: Date.now() / 1000 - 5 }, "EXPIRED"],
    ["from the future", { iat: Date.now() / 1000 + 60, exp: Date.now() / 1000 + 90 }, "NOT_YET_VALID"],
    ["for a machine with another MAC address", { mac: "02:00:00:00:00:02" }, "WRONG_MACHINE"],
  ] as const)("one %s", async ([, claims, refusal]) => {
    await send(powerOrder(claims));
    await expect.poll(outcomes).toEqual([refusal]);
    expect(await afterGoodOrder()).toEqual(["sleep"]);
  });

  test("one that is older than a wake of this machine", async () => {
    const late = await scene.hub.sign(scene.hub.order(ORDER, powerOrder()));
    await scene.order(WAKE, wakeOrder(MAC));
    await expect.poll(() => scene.hub.broker.on(WAKE)).toHaveLength(1);
    await scene.hub.broker.publish(ORDER, late);
    await expect.poll(outcomes).toEqual(["SUPERSEDED"]);
    expect(await afterGoodOrder()).toEqual(["sleep"]);
  });

  test("one that was on its way while the machine was suspended; the hub is asked for its time, and the next one is obeyed", async () => {
    const asked = () => scene.hub.broker.on(topics.agentInventory.for("pi")).length;
    scene.wall.aheadMs = 600_000;
    const before = asked();
    await send(powerOrder());
    await expect.poll(outcomes).toEqual(["CLOCK_UNKNOWN"]);
    await expect.poll(asked, { timeout: 5_000 }).toBeGreaterThan(before);
    await expect
      .poll(async () => (await send(powerOrder()), power.downs.length), { timeout: 10_000, interval: 500 })
      .toBe(1);
  });

  test("one that another key has signed, one for another agent, one that is retained", async () => {
    const { privateKey } = await generateKeyPair("EdDSA");
    const forged = await new SignJWT(scene.hub.order(ORDER, powerOrder()))
      .setProtectedHeader({ alg: "EdDSA" })
      .sign(privateKey);
    await scene.hub.broker.publish(ORDER, forged);
    const forAnother = scene.hub.order(topics.agentOrder.for("nuc"), powerOrder());
    await scene.hub.broker.publish(ORDER, await scene.hub.sign(forAnother));
    await scene.hub.broker.publish(ORDER, await scene.hub.sign(scene.hub.order(ORDER, powerOrder())), true);
    await scene.hub.broker.publish(WAKE, await scene.hub.sign(scene.hub.order(WAKE, powerOrder())));
    expect(await afterGoodOrder()).toEqual(["sleep"]);
    expect(outcomes()).toEqual(["acknowledged"]);
  });
});
