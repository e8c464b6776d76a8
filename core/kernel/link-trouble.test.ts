import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { type IConnackPacket, type Packet, generate, parser } from "mqtt-packet";
import pino from "pino";
import { afterEach, expect, test } from "vitest";
import { topics } from "#contracts/topics.ts";
import { type Link, NotConnected, createLink } from "./link.ts";

/** The hub's link to a broker that does what brokers seldom do. */

type Answer = (packet: Packet, connection: number) => Packet | null | "close";

let server: Server;
let sockets: Socket[];
let received: Packet[];
let link: Link;

/** @param answer what is answered to a packet of the connection with this number, the first being 0. */
async function begin(answer: Answer, port = 0): Promise<void> {
  sockets = [];
  received = [];
  server = createServer((socket) => {
    const connection = sockets.push(socket) - 1;
    const packets = parser({ protocolVersion: 5 });
    packets.on("packet", (packet: Packet) => {
      received.push(packet);
      const reply = answer(packet, connection);
      if (reply === "close") socket.destroySoon();
      else if (reply !== null) socket.write(generate(reply, { protocolVersion: "returnCode" in reply ? 4 : 5 }));
    });
    socket.on("data", (bytes) => void packets.parse(bytes)).on("error", () => {});
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
}

function createLinkTo(port: number): Link {
  const outer = { type: "outer", username: null, password: null, ca: null } as const;
  const log = pino({ level: "silent" });
  link = createLink({ baseTopic: "base", broker: { ...outer, url: `mqtt://127.0.0.1:${port}` }, log });
  link.on(topics.deviceSet, () => {});
  return link;
}

const portOf = () => (server.address() as AddressInfo).port;

afterEach(async () => {
  await link.close();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

/** What any broker says. */
function ordinary(packet: Packet, properties?: IConnackPacket["properties"]): Packet | null {
  if (packet.cmd === "connect")
    return { cmd: "connack", sessionPresent: false, reasonCode: 0, ...(properties && { properties }) };
  if (packet.cmd === "subscribe")
    return { cmd: "suback", messageId: packet.messageId ?? 0, granted: packet.subscriptions.map(() => 1) };
  if (packet.cmd === "publish") return { cmd: "puback", messageId: packet.messageId ?? 0, reasonCode: 0 };
  return packet.cmd === "pingreq" ? { cmd: "pingresp" } : null;
}

test("what waits for its turn is refused when the connection breaks, and does not come late", async () => {
  let isSlow = true;
  await begin((packet) => (packet.cmd === "publish" && isSlow ? null : ordinary(packet, { receiveMaximum: 1 })));
  await createLinkTo(portOf()).connect();
  const first = link.publish("event", "first", topics.event.options);
  const second = link.publish("event", "second", topics.event.options);
  expect(link.backlog).toBe(1);
  await expect.poll(() => received.some(({ cmd }) => cmd === "publish")).toBe(true);
  isSlow = false;
  const refused = second.catch((error: unknown) => error);
  sockets[0]?.destroy();
  expect(await refused).toBeInstanceOf(NotConnected);
  expect(link.backlog).toBe(0);
  await first;
  await link.publish("event", "third", topics.event.options);
  const said = received.flatMap((packet) => (packet.cmd === "publish" ? packet.payload.toString() : []));
  expect(new Set(said)).toEqual(new Set(["first", "third"]));
});

test("a broker that does not let the hub subscribe is asked again", async () => {
  let asked = 0;
  await begin((packet) => {
    if (packet.cmd !== "subscribe" || ++asked > 1) return ordinary(packet);
    return { cmd: "suback", messageId: packet.messageId ?? 0, granted: packet.subscriptions.map(() => 0x87) };
  });
  let connects = 0;
  createLinkTo(portOf()).onConnect(() => connects++);
  await link.connect();
  expect(connects).toBe(0);
  await expect.poll(() => connects, { timeout: 20_000 }).toBe(1);
  expect(sockets).toHaveLength(1);
});

test("a broker that does not let the hub say goodbye does not keep it from ending", async () => {
  await begin((packet) => {
    if (packet.cmd !== "publish") return ordinary(packet);
    return { cmd: "puback", messageId: packet.messageId ?? 0, reasonCode: 0x87 };
  });
  await createLinkTo(portOf()).connect();
  await expect(link.close()).resolves.toBeUndefined();
});

test("a broker that closes without a word at MQTT 5 is spoken to in 3.1.1, also when it was not there at first", async () => {
  const old: Answer = (packet) => {
    if (packet.cmd !== "connect") return null;
    return packet.protocolVersion === 5 ? "close" : { cmd: "connack", sessionPresent: false, returnCode: 0 };
  };
  await begin(old);
  const port = portOf();
  await new Promise((resolve) => server.close(resolve));
  await createLinkTo(port).connect();
  await begin(old, port);
  const versions = () => received.flatMap((packet) => (packet.cmd === "connect" ? packet.protocolVersion : []));
  await expect.poll(versions, { timeout: 20_000 }).toContain(4);
});
