import { afterEach, expect, test } from "vitest";
import { startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";
import { Key } from "#contracts/key.ts";
import { MacAddress } from "#contracts/mac-address.ts";
import { sendBurst } from "./burst.ts";
import { magicPacket } from "./magic-packet.ts";
import type { LocalAddress } from "./networks.rules.ts";
import { Pacer } from "./pacer.ts";
import { PacketSender } from "./packet-sender.ts";
import type { Route } from "./routes.rules.ts";

const MAC = MacAddress.parse("02:00:00:00:00:01");
const sender = new PacketSender();

afterEach(() => sender.close());

function route(changes: Partial<Route>): Route {
  return { from: null, family: 4, to: "127.255.255.255", zone: null, port: 9, interface: null, ...changes };
}

test("a packet leaves from the address that its route names", async () => {
  const machine = await startSimulatedMachine({ mac: MAC });
  const error = await sender.send(magicPacket(MAC, null), route({ from: "127.0.0.1", port: machine.udpPort }));
  expect(error).toBeNull();
  await expect.poll(() => machine.packets).toHaveLength(1);
  await machine.close();
});

test("an address that this machine does not have is a reason, not an exception", async () => {
  const packet = magicPacket(MAC, null);
  expect(await sender.send(packet, route({ from: "203.0.113.77" }))).toBe("the interface no longer has this address");
});

test("a destination that fails does not stop the others", async () => {
  const machine = await startSimulatedMachine({ mac: MAC });
  const gone: LocalAddress = {
    interface: "gone0",
    family: 4,
    address: "203.0.113.77",
    prefix: 24,
    mac: "02:00:00:00:00:99",
    internal: false,
    zone: "gone0",
  };
  const target = {
    device: Key.parse("nas"),
    mac: MAC,
    secureOn: null,
    agents: [],
    addresses: ["203.0.113.255", "127.255.255.255"],
    ports: [machine.udpPort],
  };
  const result = await sendBurst(target, { packets: 2, spacingMs: 1 }, { sender, pacer: new Pacer(), local: [gone] });

  expect(result).toMatchObject({ outcome: "sent", reason: null, packets: 2 });
  expect(result.destinations.map(({ error }) => error)).toEqual(["the interface no longer has this address", null]);
  await expect.poll(() => machine.packets).toHaveLength(2);
  await machine.close();
});

test("a target that nothing could be sent to failed, with a sentence", async () => {
  const target = {
    device: Key.parse("nas"),
    mac: MAC,
    secureOn: null,
    agents: [],
    addresses: [],
    ports: [9],
  };
  const result = await sendBurst(target, { packets: 3, spacingMs: 0 }, { sender, pacer: new Pacer(), local: [] });
  expect(result).toMatchObject({
    outcome: "failed",
    reason: "This agent has no network interface that can broadcast",
    packets: 0,
  });
});
