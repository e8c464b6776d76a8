import { beforeEach, describe, expect, test } from "vitest";
import { type Inventory, InventoryMessage } from "#contracts/agent.ts";
import { Key } from "#contracts/key.ts";
import { topics } from "#contracts/topics.ts";
import { backgroundWith } from "./background.ts";
import { keptLog } from "./fixtures/scene.ts";
import { HubClock } from "./hub-clock.ts";
import { takeInventory } from "./inventory.ts";
import { Presence } from "./presence.ts";

let clock: HubClock;
let presence: Presence;
let machine: Inventory;
let published: (InventoryMessage & { readonly publishedMs: number })[];

const ASK_AGAIN_AFTER_MS = 60;

beforeEach(async () => {
  clock = new HubClock();
  machine = await takeInventory();
  published = [];
  const link = {
    publish: async (topic: string, payload: string) => {
      if (topic !== topics.agentInventory.for("pi")) return;
      published.push({ ...InventoryMessage.parse(JSON.parse(payload)), publishedMs: performance.now() });
    },
  };
  presence = new Presence({
    key: Key.parse("pi"),
    stateDir: "/",
    clock,
    link,
    inBackground: backgroundWith(keptLog()),
    inventory: async () => machine,
    askAgainAfterMs: ASK_AGAIN_AFTER_MS,
  });
  await presence.announce(link);
  await presence.publishInventory(link);
  clock.answer({ nonce: published[0]!.nonce, iat: 1_790_000_000 }, performance.now());
});

describe("an agent that looks at itself from time to time", () => {
  test("says nothing while nothing has changed", async () => {
    await presence.followChanges();
    expect(published).toHaveLength(1);
  });

  test("tells its inventory anew when an interface has changed, with a fresh nonce", async () => {
    const eth9 = {
      name: "eth9",
      mac: null,
      addresses: ["10.9.0.1/24"],
      broadcast: ["10.9.0.255"],
      kind: null,
      link: null,
      armed: null,
      secureOn: null,
    };
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

describe("an agent that doubts the hub's time", () => {
  test("asks for it anew, however many orders make it doubt, once in a while", async () => {
    for (const asked of [2, 3]) {
      for (let order = 0; order < 20; order += 1) presence.askTimeAnew();
      await expect.poll(() => published).toHaveLength(asked);
    }
    const [first, second, third] = published.map(({ publishedMs }) => publishedMs);
    expect(second! - first!).toBeGreaterThan(ASK_AGAIN_AFTER_MS - 5); // timers may be a little early
    expect(third! - second!).toBeGreaterThan(ASK_AGAIN_AFTER_MS - 5);
    expect(new Set(published.map(({ nonce }) => nonce)).size).toBe(3);
  });

  test("asks nobody while it is not connected", async () => {
    presence.askTimeAnew();
    presence.shut();
    presence.askTimeAnew();
    await presence.announce({ publish: async () => {} });
    presence.askTimeAnew();
    await expect.poll(() => published.length).toBeGreaterThan(1);
    expect(published).toHaveLength(2);
  });
});
