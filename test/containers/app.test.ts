import { execFile } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { SETTING_NAMES } from "#core/config.ts";
import packageJson from "../../package.json" with { type: "json" };
import { SETTING_NAMES as AGENT_SETTING_NAMES } from "../../agent/config.ts";
import { Options, agentSettings, hubSettings } from "../../ha-discovery/app/options.ts";
import { ROOT } from "../guards/source-files.ts";
import { assignments, execForm, parseDockerfile, stepsOf } from "./dockerfile.ts";

/** The folder of the app for Home Assistant, as its supervisor reads it. */

const FOLDER = join(ROOT, "ha-discovery/app");
const BASE = `node:${packageJson.dependencies.node}-trixie-slim`;
const read = (name: string) => readFileSync(join(FOLDER, name), "utf8");

/** @see supervisor/apps/validate.py, as far as ours goes; it takes no other key either. */
const AppConfig = z.strictObject({
  name: z.string(),
  version: z.string(),
  slug: z.string().regex(/^[-_.A-Za-z0-9]+$/),
  description: z.string(),
  arch: z.array(z.enum(["aarch64", "amd64"])),
  homeassistant: z.string(),
  startup: z.enum(["initialize", "system", "services", "application", "once"]),
  init: z.boolean(),
  host_network: z.boolean(),
  ingress: z.boolean(),
  ingress_port: z.int().min(0).max(65_535),
  panel_icon: z.string().regex(/^mdi:[a-z-]+$/),
  panel_title: z.string(),
  panel_admin: z.boolean(),
  services: z.array(z.string().regex(/^(mqtt|mysql):(provide|want|need)$/)),
  map: z.array(z.strictObject({ type: z.string(), read_only: z.boolean() })),
  backup: z.enum(["hot", "cold"]),
  timeout: z.int().min(10).max(300),
  options: z.record(z.string(), z.unknown()),
  schema: z.record(
    z.string(),
    z.string().regex(/^(bool|email|url|port|str|password|int|float|match\(.*\)|list\(.+\))\??$/),
  ),
});

const config = AppConfig.parse(parse(read("config.yaml")));

describe("config.yaml", () => {
  test("is of this version, for both architectures, on the LAN itself", () => {
    expect(config).toMatchObject({
      version: packageJson.version,
      slug: "powerbeacon",
      arch: ["aarch64", "amd64"],
      host_network: true,
      ingress: true,
      init: false,
      services: ["mqtt:want"],
      map: [{ type: "data", read_only: false }],
      backup: "cold",
    });
  });

  test("gives each option that must be there a value, and the others none", () => {
    const needed = Object.entries(config.schema).filter(([, type]) => !type.endsWith("?"));
    expect(Object.keys(config.options).toSorted()).toEqual(needed.map(([name]) => name).toSorted());
    expect(Options.parse(config.options)).toEqual(config.options);
  });

  test("asks for what the script reads, and each is explained", () => {
    expect(Object.keys(config.schema).toSorted()).toEqual(Object.keys(Options.shape).toSorted());
    const { configuration } = z
      .object({
        configuration: z.record(z.string(), z.object({ name: z.string(), description: z.string().optional() })),
      })
      .parse(parse(read("translations/en.yaml")));
    expect(Object.keys(configuration).toSorted()).toEqual(Object.keys(config.schema).toSorted());
    for (const name of Object.keys(config.schema)) expect(read("DOCS.md")).toContain(`\`${name}\``);
  });

  test("leaves no secret readable", () => {
    const secret = Object.entries(config.schema).filter(([name]) => /code|password|secret/.test(name));
    expect(secret.length).toBeGreaterThan(0);
    expect(secret.filter(([, type]) => !type.startsWith("password"))).toEqual([]);
  });
});

describe("the settings", () => {
  const options = Options.parse({
    ...config.options,
    public_url: "http://hub.lan:8080",
    join_code: "pbj_1",
    setup_code: "12345678",
  });
  const mqtt = { host: "core-mosquitto", port: 1883, ssl: false, username: "addons", password: "s#c'r\"et" };
  const frame = { ingressPort: 61_234, dataDir: "/data/hub" };

  test("are ones that hub and agent know", () => {
    expect(SETTING_NAMES).toEqual(expect.arrayContaining(Object.keys(hubSettings(options, { mqtt, ...frame }))));
    expect(AGENT_SETTING_NAMES).toEqual(expect.arrayContaining(Object.keys(agentSettings(options, "/data/agent"))));
  });

  test("hand on Home Assistant's broker as it was told", () => {
    expect(hubSettings(options, { mqtt, ...frame })).toMatchObject({
      HA_MQTT_URL: "mqtt://core-mosquitto:1883",
      HA_MQTT_USERNAME: "addons",
      HA_MQTT_PASSWORD: "s#c'r\"et",
      HA_INGRESS_PORT: "61234",
    });
    const safe = hubSettings(options, { mqtt: { ...mqtt, ssl: true, username: null, password: null }, ...frame });
    expect(safe["HA_MQTT_URL"]).toBe("mqtts://core-mosquitto:1883");
    expect(Object.keys(safe).filter((name) => /HA_MQTT_(USER|PASS)/.test(name))).toEqual([]);
  });

  test("leave out what nobody set", () => {
    const plain = Options.parse(config.options);
    const names = Object.keys(hubSettings(plain, { mqtt: undefined, ...frame }));
    for (const name of ["PUBLIC_URL", "SETUP_CODE", "HA_MQTT_URL"]) expect(names).not.toContain(name);
    expect(agentSettings(plain, "/data/agent")).not.toHaveProperty("JOIN_CODE");
  });
});

describe("the Dockerfile", () => {
  const stages = parseDockerfile(read("Dockerfile"));
  const image = stages.at(-1)!;
  const last = (instruction: string) => stepsOf(image, instruction).at(-1)?.text ?? "";

  test("builds on the very Node that the tests run on, and is labelled with this version", () => {
    expect(new Set(stages.map(({ base }) => base))).toEqual(new Set([BASE]));
    expect(assignments(last("LABEL"))).toMatchObject({
      "org.opencontainers.image.version": packageJson.version,
      "io.hass.type": "app",
      "io.hass.version": packageJson.version,
      "io.hass.arch": config.arch.join("|"),
    });
  });

  test("starts under tini, tells how it is, and runs hub and agent as a user", () => {
    expect(execForm(last("ENTRYPOINT"))).toEqual(["/usr/bin/tini", "--"]);
    const command = execForm(last("CMD"));
    expect(command).toEqual(["node", "ha-discovery/app/run.ts"]);
    expect(execForm(last("HEALTHCHECK").replace("CMD", "").trim())).toEqual([...(command ?? []), "health"]);
    expect(assignments(last("ENV"))).toMatchObject({ APP_USER: "1000" });
    expect(existsSync(join(ROOT, command?.[1] ?? ""))).toBe(true);
  });
});

test("the icon is a square PNG of the size that the store shows", () => {
  const icon = readFileSync(join(FOLDER, "icon.png"));
  expect(icon.subarray(1, 4).toString()).toBe("PNG");
  expect([icon.readUInt32BE(16), icon.readUInt32BE(20)]).toEqual([128, 128]); // of its header, IHDR
});

test("the changelog tells of this version, and the repository has a name", () => {
  expect(read("CHANGELOG.md")).toContain(`## ${packageJson.version}\n`);
  expect(parse(readFileSync(join(ROOT, "repository.yaml"), "utf8"))).toEqual({ name: "PowerBeacon" });
});

test("the folder to install from has everything that is built and presented, and is one app", async () => {
  await promisify(execFile)(process.execPath, [join(FOLDER, "pack.ts")]);
  const packed = join(ROOT, "dist/app");
  const files = readdirSync(packed, { recursive: true, encoding: "utf8" });
  expect(files.filter((path) => /(^|\/)config\.(ya?ml|json)$/.test(path))).toEqual(["config.yaml"]);
  expect(files.filter((path) => path.endsWith(".test.ts") || path.includes("node_modules"))).toEqual([]);
  for (const name of ["DOCS.md", "README.md", "CHANGELOG.md", "icon.png", "translations/en.yaml", ".dockerignore"])
    expect(files).toContain(name);
  const copied = parseDockerfile(read("Dockerfile"))
    .flatMap((stage) => stepsOf(stage, "COPY"))
    .filter(({ flags }) => flags["from"] === undefined)
    .flatMap(({ text }) => text.split(/\s+/).slice(0, -1));
  expect(copied.filter((path) => !files.includes(path))).toEqual([]);
});
