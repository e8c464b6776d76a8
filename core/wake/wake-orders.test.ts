import { expect, test } from "vitest";
import { MAX_SIGNED_BYTES } from "#contracts/limits.ts";
import { WakeOrder } from "#contracts/order.ts";
import type { DirectoryAgent, DirectoryDevice } from "../members/directory.ts";
import { type WakeAim, wakeOrders } from "./wake-orders.ts";

const now = new Date("2026-01-01T00:00:00.500Z");

function aim(number: number, { agents = 0, secureOn = null as string | null } = {}): WakeAim {
  const device = {
    key: `pc-${number}`,
    mac: `02:00:00:00:${Math.floor(number / 256)
      .toString(16)
      .padStart(2, "0")}:${(number % 256).toString(16).padStart(2, "0")}`,
    secureOn,
    wake: { addresses: ["10.0.0.255"], ports: [9, 7], windowSeconds: null },
  } as unknown as DirectoryDevice; // the part of it that an order is made of
  const named = Array.from({ length: agents }, (_, i) => ({ key: `agent-${i}-`.padEnd(63, "x") })) as DirectoryAgent[];
  return { device, agents: named, wholeCluster: agents === 0 };
}

const aims = (count: number, options = {}) => Array.from({ length: count }, (_, number) => aim(number, options));

test("an order names its topic, its time and what to send", () => {
  const [first] = wakeOrders("home", [aim(1, { secureOn: "01:02:03:04:05:06" })], now);
  expect(WakeOrder.parse(first?.order)).toEqual({
    type: "wake",
    aud: "cluster/home/wake",
    id: expect.any(String),
    iat: now.getTime() / 1_000,
    exp: now.getTime() / 1_000 + 30,
    targets: [
      {
        device: "pc-1",
        mac: "02:00:00:00:00:01",
        secureOn: "01:02:03:04:05:06",
        agents: [],
        addresses: ["10.0.0.255"],
        ports: [9, 7],
      },
    ],
    burst: { packets: 3, spacingMs: 100 },
  });
});

test.each([
  [0, []],
  [1, [1]],
  [200, [200]],
  [201, [200, 1]],
  [450, [200, 200, 50]],
])("%d devices are woken by orders of %j", (count, sizes) => {
  const orders = wakeOrders("home", aims(count), now);
  expect(orders.map(({ order }) => order.targets.length)).toEqual(sizes);
  expect(orders.map((part) => part.aims.length)).toEqual(sizes);
  expect(new Set(orders.map(({ order }) => order.id)).size).toBe(sizes.length);
});

test("devices that name many agents are spread over more orders, each of which fits into a packet", () => {
  const orders = wakeOrders("home", aims(200, { agents: 64 }), now);
  expect(orders.length).toBeGreaterThan(1);
  for (const { order } of orders) expect(JSON.stringify(order).length).toBeLessThanOrEqual(MAX_SIGNED_BYTES);
  expect(orders.flatMap(({ order }) => order.targets.map(({ device }) => device))).toHaveLength(200);
});
