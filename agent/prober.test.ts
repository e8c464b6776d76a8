import { createServer, type AddressInfo, type Server } from "node:net";
import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ProbeReceipt } from "#contracts/agent.ts";
import { topics } from "#contracts/topics.ts";
import { type Scene, startScene } from "./fixtures/scene.ts";

const ORDER = topics.agentOrder.for("pi");

let scene: Scene;
let service: Server;
let port: number;

beforeEach(async () => {
  scene = await startScene();
  service = createServer((socket) => socket.end()).listen(0, "127.0.0.1");
  await once(service, "listening");
  ({ port } = service.address() as AddressInfo);
});

afterEach(async () => {
  service.close();
  await scene.close();
});

function probes(): ProbeReceipt["probe"][] {
  return scene.hub.broker
    .on(topics.agentReceipt.for("pi"))
    .map(({ payload }) => ProbeReceipt.parse(JSON.parse(payload)).probe);
}

const probe = (changes: object = {}) =>
  scene.order(ORDER, {
    type: "probe",
    device: "nas",
    mac: "02:00:00:00:00:01",
    address: "127.0.0.1",
    tcpPort: port,
    ...changes,
  });

test("an agent tells whether a service accepts connections, each time anew", async () => {
  await probe();
  await expect.poll(probes).toEqual([{ device: "nas", tcpPort: port, open: true, reason: null }]);
  service.close();
  await probe();
  await expect.poll(probes, { timeout: 5_000 }).toHaveLength(2);
  expect(probes()[1]).toEqual({ device: "nas", tcpPort: port, open: false, reason: "Nothing accepts there" });
});

test("an agent that does not know where a device is says so", async () => {
  await probe({ address: null });
  await expect.poll(probes, { timeout: 5_000 }).toHaveLength(1);
  expect(probes()[0]).toMatchObject({ open: false, reason: "This agent does not know where it is" });
});

test("a probe that has expired is not made", async () => {
  await probe({ iat: Date.now() / 1000 - 60, exp: Date.now() / 1000 - 30 });
  await probe();
  await expect.poll(probes).toHaveLength(1);
  expect(scene.log.lines.map(({ message }) => message)).toContain("An order was refused: EXPIRED");
});
