import { beforeEach, describe, expect, test } from "vitest";
import { type Inventory, InventoryMessage } from "#contracts/agent.ts";
import { Key } from "#contracts/key.ts";
import { HubClock } from "./hub-clock.ts";
import { takeInventory } from "./inventory.ts";
import { Presence } from "./presence.ts";

let clock: HubClock;
let presence: Presence;
let machine: Inventory;
let published: InventoryMessage[];

beforeEach(async () => {
  clock = new HubClock();
  machine = await takeInventory();
  published = [];
  const link = {
    publish: async (_topic: string, payload: string) => {
      published.push(InventoryMessage.parse(JSON.parse(payload)));
    },
  };
  presence = new Presence({ key: Key.parse("pi"), stateDir: "/", clock, link, inventory: async () => machine });
  await presence.publishInventory(link);
  clock.answer({ nonce: published[0]!.nonce, iat: 1_790_000_000 }, performance.now());
});

describe("an agent that looks at itself from time to time", () => {
  test("says nothing while nothing has changed", async () => {
    await presence.followChanges();
    expect(published).toHaveLength(1);
  });

  test("tells its inventory anew when an interface has changed, with a fresh nonce", async () => {
    const eth9 = { name: "eth9", mac: null, addresses: ["10.9.0.1/24"], broadcast: ["10.9.0.255"] };
    machine = { ...machine, interfaces: [...machine.interfaces, eth9] };
    await presence.followChanges();
    expect(published[1]?.interfaces).toContainEqual(eth9);
    expect(published[1]?.nonce).not.toBe(published[0]?.nonce);
    await presence.followChanges();
    expect(published).toHaveLength(2);
  });

  test("asks for the hub's time again where it has none", async () => {
    clock.forget();
    await presence.followChanges();
    expect(published).toHaveLength(2);
  });
});
