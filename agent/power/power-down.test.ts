import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { PowerReceipt } from "#contracts/agent.ts";
import { PowerOrder } from "#contracts/order.ts";
import { backgroundWith } from "../background.ts";
import { keptLog } from "../fixtures/scene.ts";
import { type SimulatedPowerOptions, simulatedPower } from "../fixtures/simulated-power.ts";
import { HubClock } from "../hub-clock.ts";
import { PowerDown } from "./power-down.ts";

const MAC = "02:00:00:00:00:01";

function machine(publish: (receipt: PowerReceipt) => Promise<boolean>, options: SimulatedPowerOptions = {}) {
  const clock = new HubClock();
  clock.answer({ nonce: clock.ask(performance.now()), iat: Date.now() / 1000 }, performance.now());
  const log = keptLog();
  const system = simulatedPower({ macs: [MAC], ...options });
  const power = new PowerDown({
    system,
    clock,
    stateDir: "/nowhere",
    publish,
    now: () => new Date(),
    wokenAtMs: () => undefined,
    openDoor: undefined,
    inBackground: backgroundWith(log),
    log,
  });
  return { power, system };
}

function order(changes: object = {}): PowerOrder {
  const claims = {
    aud: "agent/pi/order",
    id: crypto.randomUUID(),
    iat: Date.now() / 1000,
    exp: Date.now() / 1000 + 30,
  };
  const what = {
    device: "nas",
    mac: MAC,
    chosen: false,
    action: "shutdown",
    force: false,
    countdownSeconds: 0,
    strand: false,
  };
  return PowerOrder.parse({ type: "power", ...claims, ...what, ...changes });
}

test("a machine stays up when its word that it goes down is lost, and says so as soon as it can", async () => {
  const taken = { by: false };
  const heard: string[] = [];
  const { power, system } = machine(async (receipt) => {
    heard.push(`${receipt.power.outcome} ${taken.by}`);
    return taken.by;
  });
  power.take(order(), undefined);
  await expect.poll(() => heard).toEqual(["acknowledged false", "failed false"]);
  taken.by = true;
  await power.connected();
  await power.connected();
  expect(heard).toEqual(["acknowledged false", "failed false", "failed true"]);
  expect(system.downs).toEqual([]);
});

test("a machine whose broker never answers stays up after two seconds", async () => {
  const heard: string[] = [];
  const { power, system } = machine((receipt) => {
    heard.push(receipt.power.outcome);
    return new Promise(() => {});
  });
  power.take(order(), undefined);
  await expect.poll(() => heard, { timeout: 5_000 }).toEqual(["acknowledged", "failed"]);
  expect(system.downs).toEqual([]);
});

test("a machine that is asleep takes no second order, and one that is awake again does", async () => {
  const outcomes: (string | null)[] = [];
  const { power, system } = machine(async ({ power: { outcome, code } }) => outcomes.push(code ?? outcome) > 0);
  power.take(order({ action: "sleep" }), undefined);
  await expect.poll(() => system.downs).toHaveLength(1);
  power.take(order(), undefined);
  await expect.poll(() => outcomes).toEqual(["acknowledged", "BUSY"]);
  await power.connected();
  power.take(order(), undefined);
  await expect.poll(() => system.downs).toHaveLength(2);
});

test("an agent that ends because its machine goes down says nothing more", async () => {
  const outcomes: string[] = [];
  const { power, system } = machine(async ({ power: { outcome } }) => outcomes.push(outcome) > 0, {
    goDown: () => sleep(60_000, undefined, { ref: false }),
  });
  power.take(order(), undefined);
  await expect.poll(() => system.downs).toHaveLength(1);
  await power.close();
  expect(outcomes).toEqual(["acknowledged"]);
});

test("an agent that is ending takes no order any more", async () => {
  const outcomes: (string | null)[] = [];
  const { power, system } = machine(async ({ power: { outcome, code } }) => outcomes.push(code ?? outcome) > 0);
  await power.close();
  power.take(order(), undefined);
  await expect.poll(() => outcomes).toEqual(["BUSY"]);
  expect(system.downs).toEqual([]);
});
