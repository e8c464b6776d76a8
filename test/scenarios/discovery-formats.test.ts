import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ComponentConfig, type DiscoveryRef, MIGRATE_DISCOVERY } from "#contracts/discovery.ts";
import { type OuterDiscovery, aDevice, hub, openOuterDiscovery } from "#test/fixtures/outer-discovery.ts";
import { objectIdOf } from "../../ha-discovery/object-id.ts";

/** Device messages, and one message for each component: which stands where, and how Home Assistant gets from one to the other. */

let outer: OuterDiscovery;

beforeEach(async () => {
  outer = await openOuterDiscovery();
});

afterEach(() => outer.close());

const waysDown = (["shutdown", "sleep", "reboot"] as const).map((action) => ({ action, agent: "pi" }));
const deviceTopic = (ref: DiscoveryRef) => `homeassistant/device/${objectIdOf(ref)}/config`;
const single = (ref: DiscoveryRef, place: string) => {
  const [platform, key] = place.split(".");
  return `homeassistant/${platform}/${objectIdOf(ref)}/${key}/config`;
};
const textsOn = (topic: string) => outer.heard.filter((message) => message.topic === topic).map(({ text }) => text);
const of = (ref: DiscoveryRef) => [...outer.standing.keys()].filter((topic) => topic.includes(ref.id)).toSorted();
const born = () => outer.say("homeassistant/status", "online");

const DEVICE = [
  "binary_sensor.armed",
  "binary_sensor.reachable",
  "button.wake",
  "event.activity",
  "sensor.phase",
  "sensor.seen",
  "sensor.wake_time",
  "switch.power",
];

describe("the format single", () => {
  test("has a config for each component that is offered, whole by itself", async () => {
    const nas = outer.things.put(aDevice("nas"));
    await outer.start({ format: "single" });
    await expect.poll(() => of(nas)).toEqual(DEVICE.map((place) => single(nas, place)));
    for (const text of outer.standing.values()) ComponentConfig.parse(JSON.parse(text));
    const power = JSON.parse(outer.standing.get(single(nas, "switch.power")) ?? "");
    expect(power).not.toHaveProperty("platform");
    expect(power).toMatchObject({
      unique_id: `${objectIdOf(nas)}_power`,
      device: { identifiers: [objectIdOf(nas)], name: "nas", via_device: objectIdOf(hub) },
      origin: { name: "PowerBeacon" },
      availability: [{ topic: "powerbeacon/hub/status" }, { topic: "powerbeacon/device/nas/availability" }],
      availability_mode: "all",
      qos: 1,
    });
    const reachable = JSON.parse(outer.standing.get(single(nas, "binary_sensor.reachable")) ?? "");
    expect(reachable.availability).toEqual([{ topic: "powerbeacon/hub/status" }]);
    expect(reachable).not.toHaveProperty("availability_mode");
  });

  test("publishes what changed alone, and nothing when it starts again", async () => {
    const nas = outer.things.put(aDevice("nas"));
    await outer.start({ format: "single" });
    await expect.poll(() => outer.published.size).toBe(DEVICE.length + 6);
    await outer.restart({ format: "single" });
    const late = outer.things.put(aDevice("late"));
    await expect.poll(() => of(late)).toHaveLength(DEVICE.length);
    expect(outer.told().filter((topic) => !topic.includes(late.id))).toEqual([]);
    outer.things.put({ ...nas, waysDown });
    const powerOff = ["button.reboot", "button.shutdown", "button.sleep"].map((place) => single(nas, place));
    await expect.poll(() => of(nas)).toEqual(expect.arrayContaining(powerOff));
    await outer.allHeard();
    expect(
      outer
        .told()
        .filter((topic) => topic.includes(nas.id))
        .toSorted(),
    ).toEqual(powerOff);
  });

  test("takes all of it back when the thing goes, and when a person deletes it in Home Assistant", async () => {
    const [nas, box] = [outer.things.put(aDevice("nas")), outer.things.put(aDevice("box"))];
    await outer.start({ format: "single" });
    await expect.poll(() => [...of(nas), ...of(box)]).toHaveLength(2 * DEVICE.length);
    outer.things.remove(nas);
    await expect.poll(() => of(nas)).toEqual([]);
    await outer.say(single(box, "sensor.phase"), "", true);
    await expect.poll(() => of(box)).toEqual([]);
    expect(outer.things.of(box)).toBeUndefined();
  });

  test("leaves no ghost of a component that is not known any more", async () => {
    const nas = outer.things.put(aDevice("nas"));
    await outer.start({ format: "single" });
    await expect.poll(() => of(nas)).toHaveLength(DEVICE.length);
    const ghost = single(nas, "sensor.of_a_former_version");
    const text = outer.standing.get(single(nas, "sensor.phase")) ?? "";
    await outer.say(ghost, text, true);
    await outer.say("homeassistant/sensor/somebody/elses/config", '{"name":"PowerBeacon"}', true);
    await expect.poll(() => outer.cleared()).toEqual([ghost]);
  });
});

describe("a component that is not offered any more", () => {
  test("is taken out by its platform alone in the format device", async () => {
    const nas = outer.things.put({ ...aDevice("nas"), waysDown });
    await outer.start();
    const shutdown = () => JSON.parse(outer.standing.get(deviceTopic(nas)) ?? "null")?.components.shutdown;
    await expect.poll(shutdown).toMatchObject({ platform: "button", payload_press: "SHUTDOWN" });
    outer.things.put({ ...nas, waysDown: [] });
    await expect.poll(shutdown).toEqual({ platform: "button" });
  });

  test("is cleared in the format single, once more after the next birth", async () => {
    const nas = outer.things.put({ ...aDevice("nas"), waysDown });
    await outer.start({ format: "single" });
    await expect.poll(() => of(nas)).toHaveLength(DEVICE.length + 3);
    outer.things.put({ ...nas, waysDown: [] });
    const gone = ["button.reboot", "button.shutdown", "button.sleep"].map((place) => single(nas, place));
    await expect.poll(() => outer.cleared().toSorted()).toEqual(gone);
    await born();
    await expect.poll(() => outer.cleared().toSorted()).toEqual([...gone, ...gone].toSorted());
  });
});

describe("another format", () => {
  test.each([
    ["device", "single"],
    ["single", "device"],
  ] as const)("than %s takes over without Home Assistant losing an entity: %s", async (before, after) => {
    const nas = outer.things.put(aDevice("nas"));
    await outer.start({ format: before });
    await expect.poll(() => of(nas).length).toBe(before === "device" ? 1 : DEVICE.length);
    const old = of(nas);
    await outer.restart({ format: after });
    await expect.poll(() => of(nas).length).toBe(after === "device" ? 1 : DEVICE.length);
    await expect.poll(() => outer.cleared().toSorted()).toEqual(expect.arrayContaining(old));
    const own = of(nas);
    for (const topic of old) expect(textsOn(topic)).toEqual([MIGRATE_DISCOVERY, ""]);
    const [handed, published, cleared] = [
      outer.told().lastIndexOf(old.at(-1) ?? "", outer.told().indexOf(own[0] ?? "")),
      outer.told().indexOf(own[0] ?? ""),
      outer.heard.findIndex(({ topic, text }) => topic === old[0] && text === ""),
    ];
    expect(handed).toBeGreaterThanOrEqual(0);
    expect(published).toBeGreaterThan(handed);
    expect(cleared).toBeGreaterThan(published);
  });

  test("is handed over again to a Home Assistant that was away, and then forgotten", async () => {
    const nas = outer.things.put(aDevice("nas"));
    await outer.start();
    await expect.poll(() => outer.published.size).toBe(2);
    await outer.restart({ format: "single" });
    await expect.poll(() => outer.cleared()).toContain(deviceTopic(nas));
    await outer.allHeard();
    outer.heard.length = 0;
    await born();
    await expect.poll(() => textsOn(deviceTopic(nas))).toEqual([MIGRATE_DISCOVERY, ""]);
    await expect.poll(() => textsOn(single(nas, "switch.power"))).toHaveLength(1);
    const told = outer.told();
    expect(told.indexOf(single(nas, "switch.power"))).toBeGreaterThan(told.indexOf(deviceTopic(nas)));
    await expect.poll(() => [...outer.published.keys()]).not.toContain(deviceTopic(nas));
  });
});
