import { describe, expect, test } from "vitest";
import type { MqttPermission } from "#contracts/principal.ts";
import { aclFile } from "./acl.rules.ts";
import type { BrokerClients, Reach } from "./broker-clients.ts";

const HASH = "$7$101$c2FsdA==$aGFzaA==";
const nobody: BrokerClients = {
  baseTopic: "powerbeacon",
  discoveryPrefix: "homeassistant",
  hub: null,
  agents: [],
  integrations: [],
};

/** The sections by user name: what each may do, without the word `topic`. */
function sections(clients: Partial<BrokerClients>): Record<string, string[]> {
  const blocks = aclFile({ ...nobody, ...clients }).split(/\n\n/);
  return Object.fromEntries(
    blocks.flatMap((block) => {
      const lines = block.trim().split("\n");
      const user = lines.find((line) => line.startsWith("user "));
      const rights = lines.filter((line) => line.startsWith("topic ")).map((line) => line.slice("topic ".length));
      return user ? [[user.slice("user ".length), rights] as const] : [];
    }),
  );
}

const integration = (permissions: MqttPermission[], reach: Reach = "everything") =>
  sections({
    integrations: [{ username: "ha", mosquittoHash: HASH, permissions: new Set(permissions), reach }],
  })["ha"];

const home: Reach = {
  clusters: ["home"],
  devices: ["nas", "box"],
  agents: ["pi"],
  schedules: [],
  configs: ["homeassistant/device/powerbeacon_device_1/config"],
};

test("nobody may do anything before the first section", () => {
  const lines = aclFile(nobody).split("\n");
  expect(lines.filter((line) => line !== "" && !line.startsWith("#"))).toEqual([]);
});

test("the hub has everything under its base and under the discovery prefix", () => {
  const hub = { username: "powerbeacon hub", mosquittoHash: HASH };
  expect(sections({ hub, baseTopic: "second/hub", discoveryPrefix: "ha" })).toEqual({
    "powerbeacon hub": ["readwrite second/hub/#", "readwrite ha/#"],
  });
});

test.each(["two\nlines", "with:colon", " blank", "blank ", "", "#comment", "\u0007"])(
  "a hub called %j is left out, with the reason",
  (username) => {
    const file = aclFile({ ...nobody, hub: { username, mosquittoHash: HASH } });
    expect(file).toContain("# The hub itself is missing here: a user name");
    expect(file).not.toMatch(/^(user|topic)/m);
  },
);

test("an agent has what is its own, and its cluster's orders", () => {
  const agents = [{ username: "id-1", mosquittoHash: HASH, key: "pi", cluster: "home" }];
  expect(sections({ agents })).toEqual({
    "id-1": [
      "readwrite powerbeacon/agent/pi/status",
      "write powerbeacon/agent/pi/heartbeat",
      "write powerbeacon/agent/pi/inventory",
      "write powerbeacon/agent/pi/receipt",
      "write powerbeacon/agent/pi/sightings",
      "write powerbeacon/agent/pi/update",
      "read powerbeacon/agent/pi/order",
      "read powerbeacon/agent/pi/watch",
      "read powerbeacon/cluster/home/wake",
      "read powerbeacon/hub/status",
      "read powerbeacon/hub/info",
    ],
  });
});

describe("an integration that reaches everything", () => {
  const OWN = "read powerbeacon/client/ha/response/#";
  const ask = (...verbs: string[]) => verbs.map((verb) => `write powerbeacon/hub/request/${verb}`);

  test.each([
    [
      ["read"],
      [
        ...ask("inventory", "plan", "doctor", "health"),
        "read powerbeacon/hub/status",
        "read powerbeacon/hub/info",
        "read powerbeacon/hub/update",
        "read powerbeacon/event",
        "read powerbeacon/hub/response/+",
        "read powerbeacon/cluster/+/state",
        "read powerbeacon/cluster/+/info",
        "read powerbeacon/cluster/+/wake/result",
        "read powerbeacon/device/+/state",
        "read powerbeacon/device/+/availability",
        "read powerbeacon/device/+/info",
        "read powerbeacon/device/+/result",
        "read powerbeacon/device/+/event",
        "read powerbeacon/agent/+/status",
        "read powerbeacon/agent/+/heartbeat",
        "read powerbeacon/agent/+/update",
        "read powerbeacon/schedule/+/state",
        "read powerbeacon/schedule/+/info",
      ],
    ],
    [
      ["wake"],
      [
        ...ask("wake", "lease", "release"),
        "write powerbeacon/cluster/+/wake",
        "write powerbeacon/cluster/+/set",
        "write powerbeacon/device/+/set",
        "write powerbeacon/schedule/+/set",
      ],
    ],
    [
      ["power"],
      ["write powerbeacon/cluster/+/set", "write powerbeacon/device/+/set", "write powerbeacon/schedule/+/set"],
    ],
    [
      ["discovery"],
      [
        ...ask("send-discovery"),
        "read homeassistant/#",
        "write homeassistant/status",
        "write homeassistant/device/+/config",
        "write homeassistant/+/+/+/config",
      ],
    ],
  ] as const)("with the permission %j", (permissions, rights) => {
    expect(integration([...permissions])).toEqual([OWN, ...rights]);
  });

  test("with none may read its answers and do nothing else", () => expect(integration([])).toEqual([OWN]));
});

test("an integration of some clusters gets their things by name, and nothing that tells of all", () => {
  expect(integration(["read", "wake", "power", "discovery"], home)).toEqual([
    "read powerbeacon/client/ha/response/#",
    "write powerbeacon/hub/request/send-discovery",
    "read powerbeacon/hub/status",
    "read powerbeacon/hub/info",
    "read powerbeacon/hub/update",
    "read powerbeacon/cluster/home/state",
    "read powerbeacon/cluster/home/info",
    "read powerbeacon/cluster/home/wake/result",
    ...["state", "availability", "info", "result", "event"].flatMap((topic) => [
      `read powerbeacon/device/box/${topic}`,
      `read powerbeacon/device/nas/${topic}`,
    ]),
    "read powerbeacon/agent/pi/status",
    "read powerbeacon/agent/pi/heartbeat",
    "read powerbeacon/agent/pi/update",
    "write powerbeacon/cluster/home/wake",
    "write powerbeacon/cluster/home/set",
    "write powerbeacon/device/box/set",
    "write powerbeacon/device/nas/set",
    "readwrite homeassistant/status",
    "readwrite homeassistant/device/powerbeacon_device_1/config",
  ]);
});

test("an integration with the hub's own name has no rights of its own", () => {
  const hub = { username: "ha", mosquittoHash: HASH };
  const integrations = [
    { username: "ha", mosquittoHash: HASH, permissions: new Set(["read"] as const), reach: "everything" as const },
  ];
  expect(sections({ hub, integrations })).toEqual({ ha: ["readwrite powerbeacon/#", "readwrite homeassistant/#"] });
});

test("the file is the same in whatever order the clients come", () => {
  const agents = ["a", "b"].map((key) => ({ username: key, mosquittoHash: HASH, key, cluster: "home" }));
  expect(aclFile({ ...nobody, agents: agents.toReversed() })).toBe(aclFile({ ...nobody, agents }));
});
