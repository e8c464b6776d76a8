import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isCollection, parseDocument, visit } from "yaml";
import { channels } from "#contracts/channels.ts";
import type { DiscoveredThing } from "#contracts/discovery.ts";
import { EventType } from "#contracts/event.ts";
import { PowerState } from "#contracts/power.ts";
import { parsePowerRequest, parseWakeRequest, WakeStage } from "#contracts/wake.ts";
import { SETTING_NAMES } from "#core/config.ts";
import { entityOf, COMPONENTS } from "../../ha-discovery/config.ts";
import { ROOT } from "./source-files.ts";

/** What people copy into Home Assistant, held against what the hub publishes and takes. */

const BASE = "powerbeacon/";
const DOCUMENT = readFileSync(join(ROOT, "docs/home-assistant.md"), "utf8");
const BLUEPRINT = readFileSync(join(ROOT, "ha-discovery/blueprints/wake-and-wait.yaml"), "utf8");
/** Entities of other integrations that the examples use. */
const OTHERS = /^(person|zone|light|media_player|notify|script)\./;

interface Input {
  readonly input: string;
}

/** Home Assistant's tag for what a blueprint is given. */
const inputTag = { tag: "!input", resolve: (input: string): Input => ({ input }) };

function read(source: string): unknown {
  const document = parseDocument(source, { customTags: [inputTag] });
  expect(document.errors.concat(document.warnings)).toEqual([]);
  return document.toJS();
}

const examples = [...DOCUMENT.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, source = ""]) => source);
const sources = [...examples, BLUEPRINT];

/** Every value at a key, wherever it stands. */
function valuesAt(source: string, ...keys: string[]): string[] {
  const values: string[] = [];
  visit(parseDocument(source, { customTags: [inputTag] }), {
    Pair: (_key, { key, value }) => {
      const [name, found] = [String(key), (value as { toJSON?: () => unknown } | null)?.toJSON?.()];
      if (keys.includes(name) && typeof found === "string") values.push(found);
    },
  });
  return values;
}

/** What Home Assistant imported from its own switch looks like; the old words are its own. */
const isOldSwitch = (source: string) => source.startsWith("switch:");

/** Keys of before 2024.10, where automations had one of each. */
function oldWordsOf(source: string): string[] {
  const found: string[] = [];
  visit(parseDocument(source, { customTags: [inputTag] }), {
    Pair: (_key, { key, value }) => {
      const name = String(key);
      const isList = isCollection(value) && ["trigger", "condition", "action"].includes(name);
      if (isList || ["platform", "service", "data_template", "entity_ids"].includes(name)) found.push(name);
    },
  });
  return found;
}

function patternOf(filter: string): RegExp {
  return new RegExp(`^${filter.replaceAll("+", "[a-z0-9-]+")}$`);
}

/** Entity ids as discovery makes them. */
function entityIdsOf(thing: DiscoveredThing): string[] {
  const around = {
    hub: { type: "hub", id: "hub" },
    version: "1.0.0",
    pageAddress: null,
    fullName: (topic: string) => BASE + topic,
  } as const;
  return Object.keys(COMPONENTS[thing.type]).map((key) =>
    String(entityOf(thing, key, around)?.fields["default_entity_id"]),
  );
}

const site = { siteId: "site", id: "id" };
const device = (key: string): DiscoveredThing => ({
  ...site,
  type: "device",
  key,
  name: key,
  mac: "aa:bb:cc:dd:ee:ff",
  os: "linux",
  area: null,
  waysDown: (["shutdown", "sleep", "reboot"] as const).map((action) => ({ action, agent: "pi" })),
  tellsWatts: true,
});
const OURS = new Set([
  ...["nas", "workstation", "backup", "media-player"].flatMap((key) => entityIdsOf(device(key))),
  ...entityIdsOf({ ...site, type: "cluster", key: "home", name: "Home", deviceIds: [], canPowerOff: true }),
  ...entityIdsOf({ ...site, type: "hub", name: "PowerBeacon", version: "1.0.0" }),
  ...entityIdsOf({ ...site, type: "schedule", key: "each-morning", name: "Each morning" }),
]);

test("there are examples for each way", () => {
  const all = examples.join("\n");
  for (const way of ["switch.turn_on", "button.press", "mqtt.publish", "trigger: device", "event.", "use_blueprint"])
    expect(all).toContain(way);
});

describe.each(sources.map((source) => [source.split("\n").find((line) => /alias|name:/.test(line)) ?? source, source]))(
  "%s",
  (_title, source) => {
    test("is YAML of today's words", () => {
      read(source);
      expect(isOldSwitch(source) ? [] : oldWordsOf(source)).toEqual([]);
    });

    test("names entities that there are", () => {
      const named = valuesAt(source, "entity_id", "machine", "power_state");
      expect(named.filter((id) => !OURS.has(id) && !OTHERS.test(id))).toEqual([]);
    });

    test("names topics that the hub has, and publishes what it takes", () => {
      for (const topic of valuesAt(source, "topic")) {
        const channel = channels.find(({ topic: { filter } }) => patternOf(BASE + filter).test(topic));
        expect({ topic, channel: channel?.summary }).toEqual({ topic, channel: expect.any(String) });
        if (!source.includes("mqtt.publish")) continue;
        const payload =
          valuesAt(source, "payload")
            .at(0)
            ?.replaceAll(/\{\{.*?\}\}/g, "2026-01-31") ?? "";
        const parsed = topic.endsWith("/wake") ? parseWakeRequest(payload) : parsePowerRequest(payload);
        expect({ payload, ok: parsed.ok }).toEqual({ payload, ok: true });
      }
    });

    test("waits for states, stages and events that there are", () => {
      const states = valuesAt(source, "to", "from", "state").filter(
        (value) => !["on", "off", "unavailable"].includes(value),
      );
      expect(
        states.filter((state) => ![...PowerState.options, ...EventType.options].some((known) => known === state)),
      ).toEqual([]);
      const stages = [...source.matchAll(/value_json\.stage in \[([^\]]+)\]/g)].flatMap(([, list = ""]) =>
        list.split(",").map((word) => word.trim().replaceAll("'", "")),
      );
      expect(stages.filter((stage) => !WakeStage.options.some((known) => known === stage))).toEqual([]);
    });
  },
);

test("the table of what appears names entities as discovery does", () => {
  const table = DOCUMENT.slice(DOCUMENT.indexOf("## What appears"), DOCUMENT.indexOf("## Automations"));
  const named = [...table.matchAll(/`((?:switch|button|sensor|binary_sensor|event)\.[\w-]+)`/g)].map(
    ([, id = ""]) => id,
  );
  expect(named.length).toBeGreaterThan(12);
  expect(named.filter((id) => !OURS.has(id))).toEqual([]);
});

test("the settings that the document names are settings", () => {
  const named = [...DOCUMENT.matchAll(/`((?:HA|MQTT|PUBLIC)_[A-Z_]+)`/g)].map(([, name = ""]) => name);
  expect(named.filter((name) => !SETTING_NAMES.includes(name))).toEqual([]);
  expect(new Set(named)).toEqual(
    new Set([...SETTING_NAMES.filter((name) => name.startsWith("HA_")), "MQTT_URL", "PUBLIC_URL"]),
  );
});

describe("the blueprint", () => {
  const { blueprint, ...automation } = read(BLUEPRINT) as {
    blueprint: { domain: string; input: Record<string, { default?: unknown }> };
    actions: unknown[];
    triggers: Input;
  };
  const used = new Set([...BLUEPRINT.matchAll(/!input (\w+)/g)].map(([, name = ""]) => name));

  test("uses every input that it asks for, and no other", () => {
    expect([...used].toSorted()).toEqual(Object.keys(blueprint.input).toSorted());
    expect(blueprint.domain).toBe("automation");
    expect(automation.triggers).toEqual({ input: "when" });
  });

  test("has actions for either end, and waits no longer than it was told", () => {
    const last = JSON.stringify(automation.actions.at(-1));
    expect(last).toContain('"then":{"input":"when_up"},"else":{"input":"when_not"}');
    expect(JSON.stringify(automation.actions)).toContain('"timeout":{"input":"patience"},"continue_on_timeout":true');
  });

  test("is used in the document with what it needs", () => {
    const example = examples.find((source) => source.includes("use_blueprint")) ?? "";
    const { use_blueprint } = read(example) as { use_blueprint: { input: object } };
    const needed = Object.entries(blueprint.input).flatMap(([name, { default: value }]) =>
      value === undefined ? [name] : [],
    );
    expect(Object.keys(use_blueprint.input)).toEqual(expect.arrayContaining(needed));
    expect(Object.keys(blueprint.input)).toEqual(expect.arrayContaining(Object.keys(use_blueprint.input)));
  });
});
