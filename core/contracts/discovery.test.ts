import { describe, expect, test } from "vitest";
import { discoveryTopics } from "./discovery.ts";

describe("the topic of a component", () => {
  const { component } = discoveryTopics("home.assistant/a");

  test.each(["homeassistant", "a-b", "(a|b)*", "ha\\d", "ä"])("matches what it builds under %s", (prefix) => {
    const { component } = discoveryTopics(prefix);
    expect(component.match(component.for("sensor/a/b"))).toBe("sensor/a/b");
    expect(component.match("elsewhere/sensor/a/b/config")).toBeUndefined();
  });

  test("matches what it builds, and nothing with other levels", () => {
    const topic = component.for("switch/powerbeacon_device_1/power");
    expect(topic).toBe("home.assistant/a/switch/powerbeacon_device_1/power/config");
    expect(component.match(topic)).toBe("switch/powerbeacon_device_1/power");
    expect(component.filter).toBe("home.assistant/a/+/+/+/config");
    expect(component.filterOf("powerbeacon_device_1")).toBe("home.assistant/a/+/powerbeacon_device_1/+/config");
  });

  test.each([
    ["a device message with a node", "home.assistant/a/device/node/object/config"],
    ["a topic with two levels", "home.assistant/a/switch/power/config"],
    ["a topic with four levels", "home.assistant/a/switch/node/power/more/config"],
    ["an empty level", "home.assistant/a/switch//power/config"],
    ["a character that Home Assistant does not read", "home.assistant/a/switch/node.1/power/config"],
    ["another prefix", "home-assistant/a/switch/node/power/config"],
    ["what stands below", "home.assistant/a/switch/node/power/config/more"],
  ])("does not match %s", (_what, name) => {
    expect(component.match(name)).toBeUndefined();
  });

  test.each(["switch", "switch/node", "device/node/object", "switch/+/power", "switch/a/b/c"])(
    "is not built with the key %j",
    (key) => {
      expect(() => component.for(key)).toThrow(RangeError);
    },
  );
});
