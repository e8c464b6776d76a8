import { expect, test } from "vitest";
import { mqttUrlFor } from "./broker-address.rules.ts";

const address = { mqttUrl: null, publicUrl: null, tcpPort: 1883, tlsPort: null, baseTopic: "powerbeacon" };

test.each([
  ["where it was asked", {}, "mqtt://192.168.1.5:1883"],
  ["by TLS, where the hub has it", { tlsPort: 8883 }, "mqtts://192.168.1.5:8883"],
  ["at the hub's own address", { publicUrl: "https://hub.example.org:8443" }, "mqtt://hub.example.org:1883"],
  ["where it is said to be", { mqttUrl: "wss://mqtt.example.org/mqtt", tlsPort: 8883 }, "wss://mqtt.example.org/mqtt"],
])("the broker is found %s", (_where, fields, url) => {
  expect(mqttUrlFor({ ...address, ...fields }, "192.168.1.5")).toBe(url);
});
