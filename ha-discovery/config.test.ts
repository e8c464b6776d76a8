import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type DiscoveredThing, DiscoveryConfig } from "#contracts/discovery.ts";
import { EventType } from "#contracts/event.ts";
import { ClusterInfo, DeviceInfo, PowerState } from "#contracts/power.ts";
import { agentComponents, clusterComponents, deviceComponents, hubComponents } from "./components.ts";
import { type Surroundings, configOf } from "./config.ts";
import { objectIdOf, refOf } from "./object-id.ts";

const HUB = "11111111-1111-4111-8111-111111111111";
const NAS = "22222222-2222-4222-8222-222222222222";
const HOME = "33333333-3333-4333-8333-333333333333";
const PI = "44444444-4444-4444-8444-444444444444";

const around: Surroundings = {
  hub: { type: "hub", id: HUB },
  version: "1.2.3",
  fullName: (topic) => `pb/${topic}`,
  pageAddress: "http://10.0.0.2:8080",
};

const things = {
  hub: { type: "hub", id: HUB, siteId: HUB, name: "PowerBeacon", version: "1.2.3" },
  device: {
    type: "device",
    id: NAS,
    siteId: HUB,
    key: "nas-1",
    name: "NAS",
    mac: "aa:bb:cc:dd:ee:ff",
    os: "linux",
    area: "Basement",
  },
  cluster: { type: "cluster", id: HOME, siteId: HUB, key: "home", name: "Home", deviceIds: [NAS] },
  agent: { type: "agent", id: PI, siteId: HUB, key: "pi", name: "Pi", version: "1.0.0", machineId: NAS },
} as const satisfies Record<string, DiscoveredThing>;

const origin = { name: "PowerBeacon", sw_version: "1.2.3", support_url: "http://10.0.0.2:8080/api/docs" };
const hubStatus = { topic: "pb/hub/status" };

const expected: Record<keyof typeof things, object> = {
  hub: {
    device: {
      identifiers: [`powerbeacon_hub_${HUB}`],
      name: "PowerBeacon",
      model: "Hub",
      sw_version: "1.2.3",
      configuration_url: "http://10.0.0.2:8080/",
    },
    origin,
    components: {
      connection: {
        platform: "binary_sensor",
        unique_id: `powerbeacon_hub_${HUB}_connection`,
        default_entity_id: "binary_sensor.powerbeacon_connection",
        name: "Connection",
        device_class: "connectivity",
        payload_on: "online",
        payload_off: "offline",
        state_topic: "pb/hub/status",
        availability: [],
      },
      republish: {
        platform: "button",
        unique_id: `powerbeacon_hub_${HUB}_republish`,
        default_entity_id: "button.powerbeacon_republish",
        name: "Send discovery again",
        command_topic: "pb/hub/request/send-discovery",
        payload_press: "{}",
        retain: false,
      },
    },
    availability: [hubStatus],
    qos: 1,
  },
  device: {
    device: {
      identifiers: [`powerbeacon_device_${NAS}`],
      connections: [["mac", "aa:bb:cc:dd:ee:ff"]],
      name: "NAS",
      model: "Linux machine",
      suggested_area: "Basement",
      configuration_url: "http://10.0.0.2:8080/devices/nas-1",
      via_device: `powerbeacon_hub_${HUB}`,
    },
    origin,
    components: {
      power: {
        platform: "switch",
        unique_id: `powerbeacon_device_${NAS}_power`,
        default_entity_id: "switch.nas_1",
        name: null,
        state_topic: "pb/device/nas-1/state",
        command_topic: "pb/device/nas-1/set",
        payload_on: "ON",
        payload_off: "OFF",
        optimistic: false,
        retain: false,
        json_attributes_topic: "pb/device/nas-1/info",
        json_attributes_template: "{{ dict(value_json, evidence=none, reachable=none) | to_json }}",
        availability: [hubStatus, { topic: "pb/device/nas-1/availability" }],
        availability_mode: "all",
      },
      reachable: {
        platform: "binary_sensor",
        unique_id: `powerbeacon_device_${NAS}_reachable`,
        default_entity_id: "binary_sensor.nas_1_reachable",
        name: "Reachable",
        device_class: "connectivity",
        state_topic: "pb/device/nas-1/info",
        value_template: "{{ iif(value_json.reachable, 'ON', 'OFF', 'None') }}",
      },
      phase: {
        platform: "sensor",
        unique_id: `powerbeacon_device_${NAS}_phase`,
        default_entity_id: "sensor.nas_1_phase",
        name: "Power state",
        device_class: "enum",
        options: ["off", "waking", "on", "stopping", "unreachable"],
        state_topic: "pb/device/nas-1/info",
        value_template: "{{ 'None' if value_json.power == 'unknown' else value_json.power }}",
      },
      wake: {
        platform: "button",
        unique_id: `powerbeacon_device_${NAS}_wake`,
        default_entity_id: "button.nas_1_wake",
        name: "Wake",
        command_topic: "pb/device/nas-1/set",
        payload_press: "WAKE",
        retain: false,
      },
      activity: {
        platform: "event",
        unique_id: `powerbeacon_device_${NAS}_activity`,
        default_entity_id: "event.nas_1_activity",
        name: "Activity",
        state_topic: "pb/device/nas-1/event",
        event_types: [
          "wake_requested",
          "wake_succeeded",
          "wake_failed",
          "wake_cancelled",
          "power_off_requested",
          "power_off_succeeded",
          "power_off_failed",
          "came_up_by_itself",
        ],
      },
    },
    availability: [hubStatus],
    qos: 1,
  },
  cluster: {
    device: {
      identifiers: [`powerbeacon_cluster_${HOME}`],
      name: "Home",
      model: "Cluster",
      configuration_url: "http://10.0.0.2:8080/clusters/home",
      via_device: `powerbeacon_hub_${HUB}`,
    },
    origin,
    components: {
      power: {
        platform: "switch",
        unique_id: `powerbeacon_cluster_${HOME}_power`,
        default_entity_id: "switch.home",
        name: null,
        state_topic: "pb/cluster/home/state",
        command_topic: "pb/cluster/home/set",
        payload_on: "ON",
        payload_off: "OFF",
        optimistic: false,
        retain: false,
        group: [`powerbeacon_device_${NAS}_power`],
      },
      devices_on: {
        platform: "sensor",
        unique_id: `powerbeacon_cluster_${HOME}_devices_on`,
        default_entity_id: "sensor.home_devices_on",
        name: "Devices on",
        state_class: "measurement",
        state_topic: "pb/cluster/home/info",
        value_template: "{{ value_json.devices.on }}",
      },
    },
    availability: [hubStatus],
    qos: 1,
  },
  agent: {
    device: {
      identifiers: [`powerbeacon_agent_${PI}`],
      name: "Pi",
      model: "Agent",
      sw_version: "1.0.0",
      configuration_url: "http://10.0.0.2:8080/agents/pi",
      via_device: `powerbeacon_device_${NAS}`,
    },
    origin,
    components: {
      connection: {
        platform: "binary_sensor",
        unique_id: `powerbeacon_agent_${PI}_connection`,
        default_entity_id: "binary_sensor.pi_connection",
        name: "Connection",
        device_class: "connectivity",
        entity_category: "diagnostic",
        payload_on: "online",
        payload_off: "offline",
        state_topic: "pb/agent/pi/status",
        availability: [hubStatus],
      },
    },
    availability: [hubStatus, { topic: "pb/agent/pi/status" }],
    availability_mode: "all",
    qos: 1,
  },
};

const kinds = ["hub", "device", "cluster", "agent"] as const;

describe("the config of a", () => {
  test.each(kinds)("%s is exactly this", (kind) => {
    const config = configOf(things[kind], around);
    expect(config).toEqual(expected[kind]);
    expect(DiscoveryConfig.parse(config)).toEqual(config);
  });

  test("thing without a page, an area or a machine leaves these out, and is whole", () => {
    const hidden = { ...around, pageAddress: null };
    for (const thing of [things.hub, { ...things.device, area: null }, { ...things.agent, machineId: null }]) {
      const config = configOf(thing, hidden);
      expect(DiscoveryConfig.parse(config)).toEqual(config);
      expect(JSON.stringify(config)).not.toMatch(/configuration_url|support_url|suggested_area/);
      expect(config.device.via_device).toBe(thing.type === "hub" ? undefined : objectIdOf(around.hub));
    }
  });

  test("large cluster names no members, and still fits into a packet with the largest group", () => {
    const ids = Array.from({ length: 2_001 }, () => NAS);
    const power = (deviceIds: string[]) => configOf({ ...things.cluster, deviceIds }, around).components["power"];
    expect(power(ids)).not.toHaveProperty("group");
    expect(power(ids.slice(1))?.["group"]).toHaveLength(2_000);
    expect(JSON.stringify(power(ids.slice(1))).length).toBeLessThan(200 * 1024);
  });
});

describe("a template", () => {
  const schemas: Record<string, z.ZodObject> = { device: DeviceInfo, cluster: ClusterInfo };
  const templates = kinds.flatMap((kind) =>
    Object.entries<Record<string, unknown>>(configOf(things[kind], around).components).flatMap(([key, component]) =>
      Object.entries(component).flatMap(([option, value]) =>
        option.endsWith("_template") ? [[kind, key, String(value)] as const] : [],
      ),
    ),
  );

  test.each(templates)("of %s %s reads fields that its payload has", (kind, _key, template) => {
    const read = [...template.matchAll(/value_json\.([\w.]+)/g)].map((match) => match[1] ?? "");
    const dropped = [...template.matchAll(/(\w+)=none/g)].map((match) => match[1] ?? "");
    expect(read.length + dropped.length).toBeGreaterThan(0);
    for (const path of [...read, ...dropped]) {
      let schema: z.ZodType | undefined = schemas[kind];
      for (const field of path.split(".")) schema = schema instanceof z.ZodObject ? schema.shape[field] : undefined;
      expect(schema).toBeDefined();
    }
  });

  test("of the phase knows every power state", () => {
    const options = configOf(things.device, around).components["phase"]?.["options"] as string[];
    expect([...options, "unknown"].toSorted()).toEqual(PowerState.options.toSorted());
  });
});

test("the activity of a device lists every event of devices that there is", () => {
  const listed = configOf(things.device, around).components["activity"]?.["event_types"] as string[];
  const ofOthers = ["agent_online", "agent_offline", "agent_copied", "request_refused"];
  expect(EventType.options.filter((type) => !listed.includes(type))).toEqual(ofOthers);
});

test("the key of a component is none that other readers of discovery drop", () => {
  const tables = [hubComponents, deviceComponents, clusterComponents, agentComponents];
  for (const key of tables.flatMap((table) => Object.keys(table)))
    expect(key).not.toMatch(/^(restart|last_seen|.*_address)$/);
});

describe("an object id", () => {
  test.each(kinds)("of a %s leads back to it", (type) => {
    expect(refOf(objectIdOf({ type, id: NAS }))).toEqual({ type, id: NAS });
  });

  test.each([
    ["powerbeacon_device_"],
    ["powerbeacon_device_nas"],
    [`powerbeacon_site_${NAS}`],
    [`zigbee_${NAS}`],
    [""],
  ])("%j is none of ours", (objectId) => expect(refOf(objectId)).toBeUndefined());
});
