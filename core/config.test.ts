import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConfigError, readConfig } from "./config.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "powerbeacon-config-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const GOOD_SECRET = "k3JvQ8sTz1WmXc5RpYb7NdLf9GhUaE2o";

describe("settings", () => {
  test("have defaults for everything but secrets", () => {
    expect(readConfig({})).toEqual({
      http: { host: "0.0.0.0", port: 8080, publicUrl: null, trustProxy: [] },
      mqtt: {
        host: "0.0.0.0",
        port: 1883,
        tls: null,
        outer: null,
        authSecret: null,
        publicUrl: null,
        baseTopic: "powerbeacon",
        discovery: true,
        discoveryPrefix: "homeassistant",
        discoveryFormat: "device",
      },
      homeAssistant: { broker: null, ingressPort: null },
      dataDir: resolve("./data"),
      databaseUrl: null,
      setupCode: null,
      sessions: { secret: null, previousSecret: null, lifetimeHours: 24 },
      passwordMinLength: 8,
      auditKeptDays: 400,
      outboundAllowed: [],
      logLevel: "info",
    });
  });

  test("name brokers of one's own, and who signed for them", () => {
    const ca = fileURLToPath(import.meta.url);
    const { mqtt, homeAssistant } = readConfig({
      MQTT_URL: "mqtts://broker.example:8883",
      MQTT_USERNAME: "hub",
      MQTT_PASSWORD: "p",
      MQTT_CA_FILE: ca,
      HA_MQTT_URL: "mqtt://ha.example",
    });
    const url = "mqtts://broker.example:8883";
    expect(mqtt.outer).toEqual({ url, username: "hub", password: "p", ca: readFileSync(ca) });
    expect(homeAssistant.broker).toEqual({ url: "mqtt://ha.example", username: null, password: null, ca: null });
  });

  test.each([
    [{ MQTT_USERNAME: "hub" }, /^MQTT_USERNAME: MQTT_URL is missing/],
    [{ MQTT_URL: "mqtt://b", MQTT_PASSWORD: "p" }, /^MQTT_PASSWORD: MQTT_USERNAME is missing/],
    [{ MQTT_URL: "http://b" }, /^MQTT_URL: is not an mqtt/],
    [{ MQTT_URL: "mqtt://me@b" }, /^MQTT_URL: holds a user name/],
    [{ MQTT_URL: "mqtt://b", HA_MQTT_URL: "mqtt://b" }, /^HA_MQTT_URL: is the broker of MQTT_URL/],
    [{ MQTT_BASE_TOPIC: "homeassistant/power" }, /^MQTT_BASE_TOPIC: stands under HA_DISCOVERY_PREFIX/],
    [{ MQTT_AUTH_SECRET: "short" }, /^MQTT_AUTH_SECRET: is shorter/],
    [{ HA_MQTT_CA_FILE: "/no/such" }, /^HA_MQTT_CA_FILE: cannot read \/no\/such/],
    [{ HA_DISCOVERY_FORMAT: "both" }, /^HA_DISCOVERY_FORMAT: is neither/],
  ])("of a broker of one's own that do not fit are named: %j", (env, problem) => {
    expect(problemsOf(env).find((line) => problem.test(line))).toBeDefined();
  });

  test("that are empty count as not set", () => {
    const names = ["HTTP_PORT", "DATABASE_URL", "JWT_SECRET", "TLS_CERT_FILE", "MQTT_BASE_TOPIC", "LOG_LEVEL"];
    expect(readConfig(Object.fromEntries(names.map((name) => [name, ""])))).toEqual(readConfig({}));
  });

  test("that are wrong are named all at once", () => {
    const problems = problemsOf({
      HTTP_PORT: "seventy",
      MQTT_PORT: "70000",
      PUBLIC_URL: "ftp://hub",
      DATABASE_URL: "mysql://db/x",
      MQTT_PUBLIC_URL: "http://hub",
      LOG_LEVEL: "loud",
      PASSWORD_MIN_LENGTH: "5",
      JWT_EXPIRATION_HOURS: "0",
      AUDIT_KEPT_DAYS: "29",
      SETUP_CODE: "short",
      JWT_SECRET_FILE: "/nowhere/jwt",
      TLS_CERT_FILE: "/nowhere/cert.pem",
    });
    expect(new Set(problems.map((problem) => problem.split(":", 1)[0]))).toEqual(
      new Set([
        "AUDIT_KEPT_DAYS",
        "DATABASE_URL",
        "HTTP_PORT",
        "JWT_EXPIRATION_HOURS",
        "JWT_SECRET_FILE",
        "LOG_LEVEL",
        "MQTT_PORT",
        "MQTT_PUBLIC_URL",
        "PASSWORD_MIN_LENGTH",
        "PUBLIC_URL",
        "SETUP_CODE",
        "TLS_CERT_FILE",
        "TLS_KEY_FILE",
      ]),
    );
  });

  test("PUBLIC_URL is an address with nothing behind it, for the page stands at its root", () => {
    expect(problemsOf({ PUBLIC_URL: "https://example.org/power" })).toEqual([
      "PUBLIC_URL: has a path; the page stands at the root of its address",
    ]);
    expect(readConfig({ PUBLIC_URL: "https://example.org/" }).http.publicUrl).toBe("https://example.org/");
  });

  test("are told in one message with a line for each problem", () => {
    expect(() => readConfig({ HTTP_PORT: "x", MQTT_PORT: "y" })).toThrow(
      /^The settings are not right:\n {2}HTTP_PORT: .+\n {2}MQTT_PORT: .+$/,
    );
  });

  test("split lists at commas", () => {
    expect(readConfig({ TRUST_PROXY: "10.0.0.0/8, ,127.0.0.1" }).http.trustProxy).toEqual(["10.0.0.0/8", "127.0.0.1"]);
  });
});

describe("a secret", () => {
  test("may come from a file, without the line break at its end", () => {
    const config = readConfig({
      JWT_SECRET_FILE: file("jwt", `${GOOD_SECRET}\n`),
      DATABASE_URL_FILE: file("database", "postgres://u:p@db/x\n"),
      SETUP_CODE_FILE: file("code", "twelve34\n"),
    });
    expect(config.sessions.secret).toBe(GOOD_SECRET);
    expect(config.databaseUrl).toBe("postgres://u:p@db/x");
    expect(config.setupCode).toBe("twelve34");
  });

  test("for the database may stand beside its address, with any characters", () => {
    const password = "a%41/b@c:d?e#f '\"+ü";
    const config = readConfig({
      DATABASE_URL: "postgres://powerbeacon@postgres:5432/powerbeacon?sslmode=disable",
      DATABASE_PASSWORD_FILE: file("database-password", `${password}\n`),
    });
    const client = new Client({ connectionString: config.databaseUrl ?? "" });
    expect(client).toMatchObject({ user: "powerbeacon", host: "postgres", port: 5432, database: "powerbeacon" });
    expect(client.password).toBe(password);
  });

  test("of a database at a socket is kept, too", () => {
    const { databaseUrl } = readConfig({
      DATABASE_URL: "postgres:///powerbeacon?host=/run/postgresql&user=me",
      DATABASE_PASSWORD: "p&ss:word",
    });
    const client = new Client({ connectionString: databaseUrl ?? "" });
    expect(client).toMatchObject({
      user: "me",
      host: "/run/postgresql",
      database: "powerbeacon",
      password: "p&ss:word",
    });
  });

  test("for a database that is not named is refused, as the hub would start one of its own", () => {
    expect(problemsOf({ DATABASE_PASSWORD: "hunter2" })).toEqual([
      "DATABASE_PASSWORD: DATABASE_URL is missing; the embedded Postgres makes its own password",
    ]);
  });

  test("whose file cannot be read is named with the file", () => {
    expect(problemsOf({ JWT_SECRET_FILE: "/nowhere/jwt" })).toEqual([
      "JWT_SECRET_FILE: cannot read /nowhere/jwt (ENOENT)",
    ]);
  });

  test("never appears in a problem", () => {
    const secret = "changeme-changeme-changeme-changeme";
    expect(problemsOf({ JWT_SECRET: secret }).join()).not.toContain(secret);
    expect(problemsOf({ DATABASE_URL: "mysql://u:hunter2@db/x" }).join()).not.toContain("hunter2");
  });

  test.each([
    ["too short", "k3JvQ8sTz1WmXc5RpYb7NdLf9GhUaE2", "is shorter than 32 characters"],
    ["one character many times", "x".repeat(64), "is a well-known or guessable secret"],
    ["few characters", "abcabc".repeat(10), "is a well-known or guessable secret"],
    ["a known word many times", "ChangeMe".repeat(5), "is a well-known or guessable secret"],
    [
      "a known word with little around it",
      "my-powerbeacon-jwt-secret-2026-password",
      "is a well-known or guessable secret",
    ],
  ])("for sessions that is %s is refused", (_what, secret, reason) => {
    expect(problemsOf({ JWT_SECRET: secret })).toEqual([`JWT_SECRET: ${reason}`]);
  });

  test("of sessions before goes on to count beside a new one, and only there", () => {
    const JWT_SECRET_PREVIOUS = GOOD_SECRET.toUpperCase();
    expect(readConfig({ JWT_SECRET: GOOD_SECRET, JWT_SECRET_PREVIOUS }).sessions).toMatchObject({
      secret: GOOD_SECRET,
      previousSecret: JWT_SECRET_PREVIOUS,
    });
    expect(problemsOf({ JWT_SECRET_PREVIOUS })).toEqual([
      "JWT_SECRET_PREVIOUS: JWT_SECRET is missing, which it goes on to count beside",
    ]);
  });

  test("for sessions that is long and random is taken", () => {
    expect(readConfig({ JWT_SECRET: GOOD_SECRET }).sessions.secret).toBe(GOOD_SECRET);
  });

  test("for the set-up loses spaces around it, as what a person types does", () => {
    expect(readConfig({ SETUP_CODE: " twelve34 " }).setupCode).toBe("twelve34");
  });
});

describe("TLS", () => {
  test("needs certificate and key together", () => {
    const cert = file("cert.pem", "cert");
    expect(problemsOf({ TLS_CERT_FILE: cert })).toEqual(["TLS_KEY_FILE: TLS_CERT_FILE and TLS_KEY_FILE go together"]);
    expect(problemsOf({ TLS_KEY_FILE: cert })).toEqual(["TLS_CERT_FILE: TLS_CERT_FILE and TLS_KEY_FILE go together"]);
  });

  test("names each file that cannot be read", () => {
    expect(problemsOf({ TLS_CERT_FILE: "/nowhere/c", TLS_KEY_FILE: "/nowhere/k" })).toEqual([
      "TLS_CERT_FILE: cannot read /nowhere/c (ENOENT)",
      "TLS_KEY_FILE: cannot read /nowhere/k (ENOENT)",
    ]);
  });

  test("takes both, with the port and host of MQTT", () => {
    const config = readConfig({
      TLS_CERT_FILE: file("cert.pem", "cert"),
      TLS_KEY_FILE: file("key.pem", "key"),
      MQTT_TLS_PORT: "18883",
      MQTT_HOST: "127.0.0.1",
    });
    expect(config.mqtt.tls).toEqual({
      cert: Buffer.from("cert"),
      key: Buffer.from("key"),
      host: "127.0.0.1",
      port: 18_883,
    });
  });
});

const NO_TOPICS = ["/ab", "ab/", "/", "a+b", "#", "a/#", "$SYS", "$SYS/ha", "a b", "a".repeat(101), "a//b"];

describe("the base topic", () => {
  test.each([["powerbeacon"], ["home/power"], ["x"], ["Büro"], ["a.b-c_d"]])("may be %s", (topic) => {
    expect(readConfig({ MQTT_BASE_TOPIC: topic }).mqtt.baseTopic).toBe(topic);
  });

  test.each(NO_TOPICS)("is not %s", (topic) => {
    expect(problemsOf({ MQTT_BASE_TOPIC: topic })).toEqual([expect.stringMatching(/^MQTT_BASE_TOPIC: /)]);
  });
});

describe("the discovery prefix", () => {
  test.each([["powerbeacon"], ["powerbeacon/ha"]])("may not stand under the base topic, as %s would", (prefix) => {
    expect(() => readConfig({ HA_DISCOVERY_PREFIX: prefix })).toThrow(/HA_DISCOVERY_PREFIX: stands under/);
  });

  test.each([["homeassistant"], ["powerbeacons"], ["ha/home"]])("may be %s", (prefix) => {
    expect(readConfig({ HA_DISCOVERY_PREFIX: prefix }).mqtt.discoveryPrefix).toBe(prefix);
  });

  test.each(NO_TOPICS)("is not %s", (prefix) => {
    expect(problemsOf({ HA_DISCOVERY_PREFIX: prefix })).toEqual([expect.stringMatching(/^HA_DISCOVERY_PREFIX: /)]);
  });
});

test.each([
  ["on", true],
  ["off", false],
])("discovery is %s", (HA_DISCOVERY, discovery) => {
  expect(readConfig({ HA_DISCOVERY }).mqtt.discovery).toBe(discovery);
  expect(() => readConfig({ HA_DISCOVERY: "maybe" })).toThrow("HA_DISCOVERY: is neither on nor off");
});
