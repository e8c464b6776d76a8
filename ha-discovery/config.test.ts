import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Heartbeat } from "#contracts/agent.ts";
import { type DiscoveredThing, DiscoveryConfig } from "#contracts/discovery.ts";
import { EventType } from "#contracts/event.ts";
import { ClusterInfo, DeviceInfo, HubInfo, PowerState } from "#contracts/power.ts";
import { COMPONENTS, configOf } from "./config.ts";
import { NAS, around, expected, things } from "./config-examples.ts";
import { objectIdOf, refOf } from "./object-id.ts";

/** A component as other programs see it. */
const componentOf = (thing: DiscoveredThing, key: string) =>
  configOf(thing, around).components[key] as Record<string, unknown> | undefined;

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
    const power = (deviceIds: string[]) => componentOf({ ...things.cluster, deviceIds }, "power");
    expect(power(ids)).not.toHaveProperty("group");
    expect(power(ids.slice(1))?.["group"]).toHaveLength(2_000);
    expect(JSON.stringify(power(ids.slice(1))).length).toBeLessThan(200 * 1024);
  });
});

describe("a template", () => {
  const fieldOf = (schema: z.ZodType | undefined, field: string): z.ZodType | undefined => {
    const inner = schema instanceof z.ZodNullable ? schema.unwrap() : schema;
    return inner instanceof z.ZodObject ? inner.shape[field] : undefined;
  };
  const schemas: Record<string, z.ZodObject> = {
    hub: HubInfo,
    device: DeviceInfo,
    cluster: ClusterInfo,
    agent: Heartbeat,
  };
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
      for (const field of path.split(".")) schema = fieldOf(schema, field);
      expect(schema).toBeDefined();
    }
  });

  test("of the phase knows every power state", () => {
    const options = componentOf(things.device, "phase")?.["options"] as string[];
    expect([...options, "unknown"].toSorted()).toEqual(PowerState.options.toSorted());
  });
});

test("the activity of a device lists every event of devices that there is", () => {
  const listed = componentOf(things.device, "activity")?.["event_types"] as string[];
  const ofOthers = [
    "agent_online",
    "agent_offline",
    "agent_copied",
    "schedule_ran",
    "schedule_skipped",
    "request_refused",
  ];
  expect(EventType.options.filter((type) => !listed.includes(type))).toEqual(ofOthers);
});

test("the key of a component is none that other readers of discovery drop", () => {
  for (const key of Object.values<object>(COMPONENTS).flatMap((table) => Object.keys(table)))
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
