import { expect, test } from "vitest";
import type { BrokerClients } from "./broker-clients.ts";
import { passwordFile } from "./passwords.rules.ts";

const HASH = "$7$101$c2FsdA==$aGFzaA==";
const nobody: BrokerClients = {
  baseTopic: "powerbeacon",
  discoveryPrefix: "homeassistant",
  hub: null,
  agents: [],
  integrations: [],
};
const pi = { username: "id-1", mosquittoHash: HASH, key: "pi", cluster: "home" };
const ha = {
  username: "ha",
  mosquittoHash: HASH,
  permissions: new Set(["read"] as const),
  reach: "everything" as const,
};

/** What follows the head. */
const lines = (clients: Partial<BrokerClients>) =>
  passwordFile({ ...nobody, ...clients })
    .split("\n")
    .slice(1, -1);

test("every client has a line, the hub the first", () => {
  const hub = { username: "powerbeacon-hub", mosquittoHash: HASH };
  const agents = [{ ...pi, username: "id-2" }, pi];
  expect(lines({ hub, agents, integrations: [ha] })).toEqual([
    `powerbeacon-hub:${HASH}`,
    `id-1:${HASH}`,
    `id-2:${HASH}`,
    `ha:${HASH}`,
  ]);
});

test.each([
  [
    "an agent of before",
    { agents: [{ ...pi, mosquittoHash: null }] },
    "# id-1 has no password here, as it is older than this file (agent pi): let it join again, with --replace",
  ],
  [
    "an MQTT client of before",
    { integrations: [{ ...ha, mosquittoHash: null }] },
    "# ha has no password here, as it is older than this file: make another MQTT client in its place",
  ],
  [
    "a hub without a password",
    { hub: { username: "hub", mosquittoHash: null } },
    "# The hub has no password: set MQTT_PASSWORD",
  ],
  [
    "a hub whose name would make two lines",
    { hub: { username: "hub\nroot", mosquittoHash: HASH } },
    "# The hub itself is missing here: a user name holds a colon or a control character",
  ],
  [
    "an MQTT client with the hub's own name",
    { hub: { username: "ha", mosquittoHash: HASH }, integrations: [ha] },
    "# ha is the hub's own name here: make another MQTT client in place of this one",
  ],
])("%s is a comment that says what to do", (_who, clients, line) => {
  expect(lines(clients)).toContain(line);
  expect(lines(clients).every((one) => one.startsWith("#") || /^[^:]+:\$7\$/.test(one))).toBe(true);
});
