import { beforeEach, describe, expect, test, type TestContext } from "vitest";
import { Key } from "#contracts/key.ts";
import { MacAddress } from "#contracts/mac-address.ts";
import { WatchedDevice } from "#contracts/order.ts";
import { needsCommand } from "#test/fixtures/commands.ts";
import { startNeighbour, whyNoNeighbour } from "./fixtures/neighbour.ts";
import { canPin } from "./wake/neighbour-pins.ts";
import { Waker } from "./wake/waker.ts";
import { type Look, type LookTools, lookAt } from "./watch/look.ts";
import { Names } from "./watch/names.ts";
import { NeighbourTable } from "./watch/neighbour-table.ts";
import { canPing } from "./watch/ping.ts";
import { Turns } from "./watch/turns.ts";

const OTHER_MAC = "02:00:00:00:00:99";
const obstacle = await whyNoNeighbour();
const pings = await canPing();

function needsPing(context: TestContext): void {
  needsCommand(context, "ping", "iputils-ping");
  context.skip(!pings, "ping may not send here");
}

describe.skipIf(obstacle !== undefined)(`on a real Ethernet${obstacle ? ` (skipped: ${obstacle})` : ""}`, () => {
  const tools: LookTools = {
    names: new Names(),
    neighbours: new NeighbourTable({ readEveryMs: 50 }),
    turns: new Turns(32),
  };
  let neighbour: Awaited<ReturnType<typeof startNeighbour>>;

  beforeEach(async (context) => {
    needsCommand(context, "ip", "iproute2");
    neighbour = await startNeighbour();
    context.onTestFinished(() => neighbour.close());
  });

  function look(changes: object): Promise<Look> {
    const defaults = { device: "nas", mac: neighbour.mac, address: neighbour.address, icmp: false, arp: false };
    const device = WatchedDevice.parse({ ...defaults, tcpPorts: [], intervalSeconds: 10, ...changes });
    return lookAt(device, tools, { urgent: true });
  }

  test("a machine that answers a ping is seen with its MAC address", async (context) => {
    needsPing(context);
    expect(await look({ icmp: true })).toEqual({
      type: "seen",
      finding: { how: "icmp", address: neighbour.address, mac: neighbour.mac },
      takenBy: null,
    });
  });

  test("a machine whose firewall drops pings is seen by ARP", async (context) => {
    needsPing(context);
    await neighbour.ignorePings();
    expect(await look({ icmp: true, arp: true })).toMatchObject({ type: "seen", finding: { how: "arp" } });
  });

  test("a machine is seen by ARP alone", async () => {
    expect(await look({ arp: true })).toMatchObject({ type: "seen", finding: { how: "arp", mac: neighbour.mac } });
  });

  test("another machine at the address is not taken for it", async (context) => {
    needsPing(context);
    expect(await look({ icmp: true, arp: true, mac: OTHER_MAC })).toEqual({
      type: "unseen",
      takenBy: neighbour.mac,
    });
  });

  test("a machine is found at the address that DHCP moved it to", async (context) => {
    needsPing(context);
    await neighbour.moveTo(neighbour.otherAddress);
    await look({ icmp: true, address: neighbour.otherAddress }); // somebody spoke with it there
    expect(await look({ icmp: true })).toMatchObject({ type: "seen", finding: { address: neighbour.otherAddress } });
    expect(await look({ icmp: true, address: null })).toMatchObject({ type: "seen" });
  });

  test("a magic packet reaches it by the directed and by the limited broadcast address", async () => {
    const port = 20_009;
    const listener = await neighbour.listen(port, 2);
    const waker = new Waker();
    const target = {
      device: Key.parse("nas"),
      mac: MacAddress.parse(neighbour.mac),
      secureOn: null,
      agents: [],
      addresses: [],
      ports: [port],
    };
    const [receipt] = await waker.wake([target], { packets: 1, spacingMs: 0 });

    expect(await listener.received).toEqual([`${neighbour.ownAddress} 102`, `${neighbour.ownAddress} 102`]);
    const here = receipt?.destinations.filter((destination) => destination.interface === neighbour.near);
    expect(here?.map(({ address, error }) => [address, error])).toEqual(
      expect.arrayContaining([
        [neighbour.broadcast, null],
        ["255.255.255.255", null],
      ]),
    );
    listener.stop();
    waker.close();
  });

  test("a magic packet reaches a machine that is off at its own address, and the pinned entry is gone afterwards", async (context) => {
    context.skip(!(await canPin()), "neighbour entries may not be changed here");
    await neighbour.answerNoArp();
    const port = 20_019;
    const listener = await neighbour.listen(port, 2);
    const waker = new Waker();
    const target = {
      device: Key.parse("nas"),
      mac: MacAddress.parse(neighbour.mac),
      secureOn: null,
      agents: [],
      addresses: [],
      ports: [port],
      reach: ["unicast" as const],
      unicast: neighbour.address,
    };
    const [receipt] = await waker.wake([target], { packets: 2, spacingMs: 1 });

    expect(await listener.received).toEqual([`${neighbour.ownAddress} 102`, `${neighbour.ownAddress} 102`]);
    expect(receipt).toMatchObject({ outcome: "sent", destinations: [{ address: neighbour.address, error: null }] });
    expect(await neighbour.entries()).not.toContain("NOARP");
    listener.stop();
    waker.close();
  });
});
