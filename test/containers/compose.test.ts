import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { SETTING_NAMES } from "#core/config.ts";
import packageJson from "../../package.json" with { type: "json" };
import { SETTING_NAMES as AGENT_SETTING_NAMES } from "../../agent/config.ts";
import { ROOT } from "../guards/source-files.ts";
import { parseDockerfile, type Step, stepsOf } from "./dockerfile.ts";

const Service = z.object({
  image: z.string(),
  build: z.object({ context: z.literal("."), dockerfile: z.string() }).optional(),
  environment: z.record(z.string(), z.string().nullable()),
  volumes: z.array(z.string()),
  ports: z.array(z.string()).default([]),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  profiles: z.array(z.string()).default([]),
  network_mode: z.string().optional(),
  restart: z.string(),
  read_only: z.boolean(),
  tmpfs: z.array(z.string()),
  cap_drop: z.array(z.string()),
  cap_add: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
  user: z.string().optional(),
});

const source = readFileSync(join(ROOT, "docker-compose.yml"), "utf8");
const { services, volumes } = z
  .object({
    services: z.object({ postgres: Service, hub: Service, agent: Service }),
    volumes: z.record(z.string(), z.null()),
  })
  .parse(parse(source));
const all = Object.entries(services);

/** The steps of one kind in the last stage of the Dockerfile that a service is built from. */
function lastStepsOf(build: { dockerfile: string } | undefined, instruction: string): Step[] {
  if (!build) return [];
  const [image] = parseDockerfile(readFileSync(join(ROOT, build.dockerfile), "utf8")).slice(-1);
  return image ? stepsOf(image, instruction) : [];
}

/** Set by the image, by where the container's ports lead, or by the app for Home Assistant alone. */
const OF_THE_CONTAINER = new Set([
  "HTTP_HOST",
  "HTTP_PORT",
  "MQTT_HOST",
  "MQTT_PORT",
  "MQTT_TLS_PORT",
  "HA_INGRESS_PORT",
  "DATA_DIR",
]);

describe("docker-compose.yml", () => {
  test("has a database, a hub that waits until it answers, and an agent for whoever asks for it", () => {
    expect(services.hub.depends_on).toEqual({ postgres: { condition: "service_healthy" } });
    expect(services.agent.profiles).toEqual(["agent"]);
    expect(services.agent.depends_on).toEqual({}); // its hub may be elsewhere, and it waits by itself
    expect(services.agent.network_mode).toBe("host");
  });

  test("names an exact image for each", () => {
    expect(all.map(([, { image }]) => image)).toEqual([
      "postgres:18", // its newest patches are welcome: they need nothing of us
      `powerbeacon-hub:${packageJson.version}`,
      `powerbeacon-agent:${packageJson.version}`,
    ]);
  });

  test.each(all)("knows whether %s is well, and starts it again", (_name, { build, healthcheck, restart }) => {
    expect(restart).toBe("unless-stopped");
    expect(healthcheck?.test ?? lastStepsOf(build, "HEALTHCHECK").map(({ text }) => text)).toContainEqual(
      expect.stringContaining("CMD"),
    );
  });

  test.each(all)("lets %s write to its volume alone, without rights of root", (_name, service) => {
    expect(service).toMatchObject({ read_only: true, tmpfs: expect.arrayContaining(["/tmp"]), cap_drop: ["ALL"] });
    expect(service.volumes).toHaveLength(1);
    const [volume = "", path = ""] = service.volumes[0]?.split(":") ?? [];
    expect(volumes).toHaveProperty(volume);
    // PostgreSQL 18 has a folder for each version below this one
    const expected = service.build ? lastStepsOf(service.build, "VOLUME")[0]?.text : "/var/lib/postgresql";
    expect(path).toBe(expected);
  });

  test("gives rights to `ping` of the agent alone", () => {
    expect(services.agent.cap_add).toEqual(["NET_RAW"]);
    for (const { cap_add, security_opt } of [services.postgres, services.hub])
      expect({ cap_add, security_opt }).toEqual({ cap_add: [], security_opt: ["no-new-privileges:true"] });
    expect(services.postgres.user).toBe("postgres");
  });

  test("opens no port of the database", () => {
    expect(services.postgres.ports).toEqual([]);
    expect(services.hub.ports.map((port) => port.replace(/^.*:/, ""))).toEqual(["8080", "1883"]);
  });

  test("gives no secret a default, and asks for the one that there must be", () => {
    const secrets = all.flatMap(([, { environment }]) =>
      Object.entries(environment).filter(([name]) => /PASSWORD|SECRET|CODE|TOKEN/.test(name) && !/LENGTH/.test(name)),
    );
    const asked = expect.stringMatching(/^\$\{DATABASE_PASSWORD:\?.+\}$/);
    expect(secrets).toEqual([
      ["POSTGRES_PASSWORD", asked],
      ["DATABASE_PASSWORD", asked],
      ["MQTT_PASSWORD", null], // these are passed on where they are set
      ["MQTT_AUTH_SECRET", null],
      ["HA_MQTT_PASSWORD", null],
      ["SETUP_CODE", null],
      ["JWT_SECRET", null],
      ["JWT_SECRET_PREVIOUS", null],
      ["JOIN_CODE", null],
    ]);
    expect(services.hub.environment["DATABASE_URL"]).toBe("postgres://powerbeacon@postgres:5432/powerbeacon");
  });

  test("passes every setting on to the hub, and no other name", () => {
    const names = Object.keys(services.hub.environment).map((name) => name.replace(/_FILE$/, ""));
    const settings = SETTING_NAMES.filter((name) => !OF_THE_CONTAINER.has(name));
    expect(names.toSorted()).toEqual(settings.map((name) => name.replace(/_FILE$/, "")).toSorted());
  });

  test("passes on to the agent what it knows", () => {
    const settings = AGENT_SETTING_NAMES.filter((name) => name !== "STATE_DIR"); // the image sets it
    expect(Object.keys(services.agent.environment).toSorted()).toEqual(settings.toSorted());
  });
});
