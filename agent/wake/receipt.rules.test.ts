import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { WakeReceipt } from "#contracts/agent.ts";
import { Key } from "#contracts/key.ts";
import { MAX_PACKET_BYTES } from "#contracts/limits.ts";
import { WakeOrder } from "#contracts/order.ts";
import { fittingReceipt, refusedTarget, targetsFor } from "./receipt.rules.ts";

function order(targets: readonly { device: string; agents: string[] }[]): WakeOrder {
  return WakeOrder.parse({
    type: "wake",
    aud: "cluster/home/wake",
    id: randomUUID(),
    iat: 1,
    exp: 31,
    targets: targets.map((target) => ({
      mac: "02:00:00:00:00:01",
      secureOn: null,
      addresses: [],
      ports: [9],
      ...target,
    })),
    burst: { packets: 3, spacingMs: 100 },
  });
}

function receipt(destinations: number): WakeReceipt {
  return {
    order: randomUUID(),
    at: new Date().toISOString(),
    targets: Array.from({ length: 200 }, (_, index) => ({
      device: Key.parse(`device-${index}`),
      outcome: "sent",
      reason: null,
      packets: destinations * 3,
      destinations: Array.from({ length: destinations }, (_unused, at) => ({
        address: "192.168.100.255",
        port: 9,
        interface: `a-long-interface-name-${at}`,
        error: at === destinations - 1 ? "network is unreachable" : null,
      })),
    })),
  };
}

test("an agent sends for the targets that name it and for those that name nobody", () => {
  const targets = targetsFor(
    Key.parse("pi"),
    order([
      { device: "everybody", agents: [] },
      { device: "mine", agents: ["nuc", "pi"] },
      { device: "not-mine", agents: ["nuc"] },
    ]),
  );
  expect(targets.map(({ device }) => device)).toEqual(["everybody", "mine"]);
});

test("the line of a refused target fits the contract", () => {
  const [target] = order([{ device: "nas", agents: [] }]).targets;
  const receipt = { order: randomUUID(), at: new Date().toISOString(), targets: [refusedTarget(target!, "EXPIRED")] };
  expect(WakeReceipt.parse(receipt)).toEqual(receipt);
});

describe("a receipt that would not fit into a packet", () => {
  test("tells of fewer destinations, failed ones first, and keeps outcomes and counts", () => {
    const fitting = fittingReceipt(receipt(60));
    expect(JSON.stringify(fitting).length).toBeLessThan(MAX_PACKET_BYTES);
    expect(fitting.targets).toHaveLength(200);
    expect(fitting.targets[0]).toMatchObject({ outcome: "sent", packets: 180 });
    expect(fitting.targets[0]?.destinations[0]?.error).toBe("network is unreachable");
  });

  test("is left as it is where it fits", () => {
    const small = receipt(2);
    expect(fittingReceipt(small)).toBe(small);
  });
});
