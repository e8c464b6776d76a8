import { describe, expect, onTestFinished, test } from "vitest";
import type { Sighting } from "#contracts/agent.ts";
import { WatchList } from "#contracts/order.ts";
import { needsCommand } from "#test/fixtures/commands.ts";
import { startNeighbour, whyNoNeighbour } from "./fixtures/neighbour.ts";
import { Watcher } from "./watch/watcher.ts";

const obstacle = await whyNoNeighbour();
const WITHIN = { timeout: 15_000 };

describe.skipIf(obstacle !== undefined)(
  `a watcher on a real Ethernet${obstacle ? ` (skipped: ${obstacle})` : ""}`,
  () => {
    async function start(changes: object = {}) {
      const neighbour = await startNeighbour();
      onTestFinished(() => neighbour.close());
      const told: Sighting[] = [];
      const failures: unknown[] = [];
      const watcher = new Watcher({
        now: () => new Date(),
        onSighting: (sighting) => told.push(sighting),
        inBackground: (_what, work) => void work().catch((error: unknown) => failures.push(error)),
      });
      onTestFinished(() => {
        watcher.close();
        expect(failures).toEqual([]);
      });
      const { mac, address } = neighbour;
      // an hour between two looks: what is seen is seen because the system tells
      const device = {
        device: "nas",
        mac,
        address,
        icmp: false,
        arp: true,
        tcpPorts: [],
        intervalSeconds: 3_600,
        ...changes,
      };
      const watch = () =>
        watcher.take(WatchList.parse({ type: "watch", aud: "x", version: 1, iat: 0, devices: [device] }));
      return { neighbour, told, watch };
    }

    test("sees a machine that is up by ARP alone", async (context) => {
      needsCommand(context, "ip", "iproute2");
      const { neighbour, told, watch } = await start();
      watch();
      await expect.poll(() => told, WITHIN).toMatchObject([{ up: true, how: "arp", mac: neighbour.mac }]);
    });

    test("sees a machine that comes up by its first ARP, and does not wait for its own next look", async (context) => {
      needsCommand(context, "ip", "iproute2");
      const { neighbour, told, watch } = await start();
      await neighbour.answerNoArp();
      watch();
      await expect.poll(() => told, WITHIN).toMatchObject([{ up: false }]);
      await neighbour.comeUp();
      await expect.poll(() => told.at(-1), WITHIN).toMatchObject({ up: true, how: "arp", address: neighbour.address });
    });

    test("follows a machine to the address that DHCP moved it to, by its MAC address", async (context) => {
      needsCommand(context, "ip", "iproute2");
      const { neighbour, told, watch } = await start();
      await neighbour.answerNoArp();
      watch();
      await expect.poll(() => told, WITHIN).toMatchObject([{ up: false }]);
      await neighbour.moveTo(neighbour.otherAddress);
      await neighbour.comeUp();
      await expect.poll(() => told.at(-1), WITHIN).toMatchObject({ up: true, address: neighbour.otherAddress });
    });

    test("tells whose MAC address answers where the device should be", async (context) => {
      needsCommand(context, "ip", "iproute2");
      const { neighbour, told, watch } = await start({ mac: "02:00:00:00:00:99" });
      watch();
      await expect.poll(() => told.at(-1), WITHIN).toMatchObject({ up: false, takenBy: neighbour.mac });
    });
  },
);
