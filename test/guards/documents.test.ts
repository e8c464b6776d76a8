import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { channels, discoveryChannels, topicPattern } from "#contracts/channels.ts";
import { EventType } from "#contracts/event.ts";
import { RefusalReason } from "#contracts/agent.ts";
import { FindingCode } from "#contracts/finding.ts";
import { hubRequests } from "#contracts/request.ts";
import { PowerOffStage } from "#contracts/power-off.ts";
import { WakeStage } from "#contracts/wake.ts";
import { readConfig, SETTING_NAMES } from "#core/config.ts";
import { ERROR_STATUS } from "#core/kernel/errors.ts";
import { ROOT } from "./source-files.ts";

/** What the documents say, held against what the code does. */

const document = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** The rows of the tables in a Markdown text, cells trimmed, backticks gone. */
function tableRows(markdown: string): string[][] {
  return markdown
    .split("\n")
    .filter((line) => line.startsWith("|") && !/^\|[\s:|-]+\|$/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim().replaceAll("`", "")),
    );
}

/** The words in backticks of the line that begins with a marker. */
function wordsOf(markdown: string, marker: string): string[] {
  const line = markdown.split("\n").find((candidate) => candidate.startsWith(marker)) ?? "";
  return [...line.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");
}

test("docs/errors.md lists every error code with its status, and no other", () => {
  const listed = tableRows(document("docs/errors.md"))
    .slice(1)
    .map(([code, status]) => [code, Number(status)]);
  expect(Object.fromEntries(listed)).toEqual(ERROR_STATUS);
  expect(listed).toHaveLength(Object.keys(ERROR_STATUS).length);
});

test("docs/doctor.md lists every finding, and no other", () => {
  const listed = tableRows(document("docs/doctor.md")).map(([code]) => code ?? "");
  expect(listed.filter((code) => /^[A-Z_]{3,}$/.test(code)).toSorted()).toEqual(FindingCode.options.toSorted());
});

describe("docs/protocol.md", () => {
  const protocol = document("docs/protocol.md");

  test("lists every topic with direction, retained and QoS, and no other", () => {
    const rows = tableRows(protocol).filter(([topic]) => topic?.includes("/") || topic === "event");
    const listed = rows.map(([topic, direction, retained, qos]) => [topic, direction, retained, qos].join(" "));
    const expected = [...channels, ...discoveryChannels("<prefix>")].map((channel) => {
      const { retain, qos } = channel.topic.options;
      return [topicPattern(channel), `${channel.from} → ${channel.to}`, retain ? "yes" : "never", qos].join(" ");
    });
    expect(listed.toSorted()).toEqual(expected.toSorted());
  });

  test.each(Object.entries(hubRequests))(
    "lists the request %s with its fields and what it needs",
    (verb, { fields, needs }) => {
      const requests = protocol.slice(protocol.indexOf("## Requests to the hub"));
      const row = requests.split("\n").find((line) => line.startsWith(`| ${verb} |`)) ?? "";
      const [, , named = "", needed] = row.split("|").map((cell) => cell.trim());
      const words = [...named.matchAll(/`([^`]+)`/g)].map((match) => match[1]);
      expect(new Set(words)).toEqual(new Set(Object.keys(fields.shape)));
      expect(needed).toBe(needs.join(" or "));
    },
  );

  test("lists the stages of a wake, the events and the reasons why an agent refuses", () => {
    expect(wordsOf(protocol, "Stages:")).toEqual(WakeStage.options);
    expect(wordsOf(protocol, "Stages of a power-off:")).toEqual(PowerOffStage.options);
    expect(wordsOf(protocol, "Events:")).toEqual(EventType.options);
    expect(wordsOf(protocol, "Refusals by agents:")).toEqual(RefusalReason.options);
  });
});

describe(".env.example", () => {
  const lines = document(".env.example").split("\n");
  const settings = Object.fromEntries(
    lines.flatMap((line) =>
      [...line.matchAll(/^#? ?([A-Z][A-Z_]+)=(.*)$/g)].map((match) => [match[1] ?? "", match[2] ?? ""]),
    ),
  );

  test("lists every setting of the hub, and no other", () => {
    const files = [
      "DATABASE_URL_FILE",
      "DATABASE_PASSWORD_FILE",
      "SETUP_CODE_FILE",
      "MQTT_PASSWORD_FILE",
      "MQTT_AUTH_SECRET_FILE",
      "HA_MQTT_PASSWORD_FILE",
      "JWT_SECRET_FILE",
      "JWT_SECRET_PREVIOUS_FILE",
    ];
    expect(Object.keys(settings).toSorted()).toEqual([...SETTING_NAMES, ...files].toSorted());
  });

  test("is what the hub takes when nothing is changed in it", () => {
    const active = Object.fromEntries(lines.filter((line) => /^[A-Z_]+=/.test(line)).map((line) => line.split("=", 2)));
    expect(readConfig(active)).toEqual(readConfig({}));
  });

  test("shows the defaults that the hub has", () => {
    const shown = Object.fromEntries(
      Object.entries(settings).filter(
        ([name]) =>
          !name.endsWith("_FILE") &&
          ![
            "DATABASE_URL",
            "DATABASE_PASSWORD",
            "JWT_SECRET",
            "JWT_SECRET_PREVIOUS",
            "SETUP_CODE",
            "PUBLIC_URL",
            "MQTT_PUBLIC_URL",
            "MQTT_URL",
            "MQTT_USERNAME",
            "MQTT_PASSWORD",
            "MQTT_AUTH_SECRET",
            "HA_MQTT_URL",
            "HA_MQTT_USERNAME",
            "HA_MQTT_PASSWORD",
            "HA_INGRESS_PORT",
            "TRUST_PROXY",
            "OUTBOUND_ALLOWED",
          ].includes(name),
      ),
    );
    expect(readConfig(shown)).toEqual(readConfig({}));
  });
});
