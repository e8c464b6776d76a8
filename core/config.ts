import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";

/**
 * Every setting of the hub, read once from the environment. `.env.example` lists them for operators.
 *
 * A secret may also come from a file: `DATABASE_URL_FILE=/run/secrets/database` stands for its content.
 */

const SECRETS = [
  "DATABASE_URL",
  "DATABASE_PASSWORD",
  "MQTT_PASSWORD",
  "MQTT_AUTH_SECRET",
  "HA_MQTT_PASSWORD",
  "SETUP_CODE",
  "JWT_SECRET",
  "JWT_SECRET_PREVIOUS",
] as const;

const KNOWN_WEAK = [
  "secret",
  "changeme",
  "change-me",
  "password",
  "powerbeacon",
  "jwt-secret",
  "your-secret",
  "default",
  "12345678",
];

const port = z.coerce
  .number("is not a port number")
  .int("is not a port number")
  .min(0, "is not a port number")
  .max(65_535, "is not a port number");
/** What topics begin with. `$` is the broker's own. */
const topicPrefix = z
  .string()
  .regex(/^(?!\$)[^+#/\s]+(\/[^+#/\s]+)*$/, "is not a topic name, or has an empty level")
  .max(100);
const mqttUrl = z
  .url({ protocol: /^(mqtts?|wss?)$/, error: "is not an mqtt://, mqtts://, ws:// or wss:// address" })
  .refine((url) => new URL(url).username === "", "holds a user name; give it by the setting of its own");
const optional = <T extends z.ZodType>(schema: T) => schema.nullable().default(null);
const signingSecret = z
  .string()
  .min(32, "is shorter than 32 characters")
  .refine((secret) => !isKnownWeak(secret), "is a well-known or guessable secret");
const list = z.string().transform((text) =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter(Boolean),
);

const Environment = z.object({
  HTTP_HOST: z.string().default("0.0.0.0"),
  HTTP_PORT: port.default(8080),
  PUBLIC_URL: optional(
    z
      .url({ protocol: /^https?$/, error: "is not an http:// or https:// address" })
      .refine((url) => new URL(url).pathname === "/", "has a path; the page stands at the root of its address"),
  ),
  MQTT_HOST: z.string().default("0.0.0.0"),
  MQTT_PORT: port.default(1883),
  MQTT_TLS_PORT: port.default(8883),
  TLS_CERT_FILE: optional(z.string()),
  TLS_KEY_FILE: optional(z.string()),
  DATA_DIR: z.string().default("./data"),
  DATABASE_URL: optional(z.url({ protocol: /^postgres(ql)?$/, error: "is not a postgres:// address" })),
  DATABASE_PASSWORD: optional(z.string()),
  MQTT_URL: optional(mqttUrl),
  MQTT_USERNAME: optional(z.string().max(200)),
  MQTT_PASSWORD: optional(z.string()),
  MQTT_CA_FILE: optional(z.string()),
  MQTT_AUTH_SECRET: optional(signingSecret),
  MQTT_PUBLIC_URL: optional(mqttUrl),
  MQTT_BASE_TOPIC: topicPrefix.default("powerbeacon"),
  HA_DISCOVERY: z.enum(["on", "off"], "is neither on nor off").default("on"),
  HA_DISCOVERY_PREFIX: topicPrefix.default("homeassistant"),
  HA_DISCOVERY_FORMAT: z.enum(["device", "single"], "is neither device nor single").default("device"),
  HA_MQTT_URL: optional(mqttUrl),
  HA_MQTT_USERNAME: optional(z.string().max(200)),
  HA_MQTT_PASSWORD: optional(z.string()),
  HA_MQTT_CA_FILE: optional(z.string()),
  HA_INGRESS_PORT: optional(port),
  SETUP_CODE: optional(z.string().trim().min(8, "is shorter than 8 characters")),
  JWT_SECRET: optional(signingSecret),
  JWT_SECRET_PREVIOUS: optional(signingSecret),
  JWT_EXPIRATION_HOURS: z.coerce.number().min(1).max(720).default(24),
  PASSWORD_MIN_LENGTH: z.coerce.number().int().min(6).max(128).default(8),
  AUDIT_KEPT_DAYS: z.coerce.number().int().min(30).max(36_500).default(400),
  TRUST_PROXY: list.default([]),
  OUTBOUND_ALLOWED: list.default([]),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
});

export type Config = ReturnType<typeof configFrom>;

/** The names of all settings, for the guard that compares them with `.env.example`. */
export const SETTING_NAMES: readonly string[] = Object.keys(Environment.shape);

/** What is wrong with the settings: every problem, one line each. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The settings are not right:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** @throws ConfigError that names every problem. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const values = withSecretFiles(env, problems);
  const parsed = Environment.safeParse(values);
  if (!parsed.success)
    problems.push(...parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`));
  const tls = readTls(values, problems);
  const authorities = {
    mqtt: readOptionalFile("MQTT_CA_FILE", values, problems),
    homeAssistant: readOptionalFile("HA_MQTT_CA_FILE", values, problems),
  };
  for (const broker of ["MQTT", "HA_MQTT"]) problems.push(...problemsOfBroker(broker, values));
  if (values["HA_MQTT_URL"] !== undefined && values["HA_MQTT_URL"] === values["MQTT_URL"])
    problems.push("HA_MQTT_URL: is the broker of MQTT_URL, where Home Assistant finds everything already");
  if (values["JWT_SECRET_PREVIOUS"] !== undefined && values["JWT_SECRET"] === undefined)
    problems.push("JWT_SECRET_PREVIOUS: JWT_SECRET is missing, which it goes on to count beside");
  if (values["DATABASE_PASSWORD"] !== undefined && values["DATABASE_URL"] === undefined)
    problems.push("DATABASE_PASSWORD: DATABASE_URL is missing; the embedded Postgres makes its own password");
  if (parsed.success && `${parsed.data.HA_DISCOVERY_PREFIX}/`.startsWith(`${parsed.data.MQTT_BASE_TOPIC}/`))
    problems.push("HA_DISCOVERY_PREFIX: stands under MQTT_BASE_TOPIC, where Home Assistant may not publish");
  if (parsed.success && `${parsed.data.MQTT_BASE_TOPIC}/`.startsWith(`${parsed.data.HA_DISCOVERY_PREFIX}/`))
    problems.push("MQTT_BASE_TOPIC: stands under HA_DISCOVERY_PREFIX, where Home Assistant reads everything");
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return configFrom(parsed.data, tls, authorities);
}

/** A broker that somebody else runs, and how the hub shows itself there. */
export interface OuterBroker {
  /** mqtt, mqtts, ws or wss. */
  readonly url: string;
  readonly username: string | null;
  readonly password: string | null;
  /** The certificates (PEM) of who may have signed the broker's; null = those that Node knows. */
  readonly ca: Buffer | null;
}

interface Authorities {
  readonly mqtt: Buffer | null;
  readonly homeAssistant: Buffer | null;
}

function configFrom(
  env: z.infer<typeof Environment>,
  tls: { cert: Buffer; key: Buffer } | null,
  authorities: Authorities,
) {
  return {
    http: { host: env.HTTP_HOST, port: env.HTTP_PORT, publicUrl: env.PUBLIC_URL, trustProxy: env.TRUST_PROXY },
    mqtt: {
      host: env.MQTT_HOST,
      port: env.MQTT_PORT,
      tls: tls && { ...tls, host: env.MQTT_HOST, port: env.MQTT_TLS_PORT },
      /** Null: the embedded broker. */
      outer: outerBroker(env.MQTT_URL, env.MQTT_USERNAME, env.MQTT_PASSWORD, authorities.mqtt),
      /** What an outer broker shows when it asks who may do what; null = it may not ask. */
      authSecret: env.MQTT_AUTH_SECRET,
      publicUrl: env.MQTT_PUBLIC_URL,
      baseTopic: env.MQTT_BASE_TOPIC,
      discovery: env.HA_DISCOVERY === "on",
      discoveryPrefix: env.HA_DISCOVERY_PREFIX,
      discoveryFormat: env.HA_DISCOVERY_FORMAT,
    },
    homeAssistant: {
      /** Home Assistant's broker, where it is another than the hub's; null = the same. */
      broker: outerBroker(env.HA_MQTT_URL, env.HA_MQTT_USERNAME, env.HA_MQTT_PASSWORD, authorities.homeAssistant),
      /** Where the supervisor's ingress finds the page, and nobody else does; null = nowhere. */
      ingressPort: env.HA_INGRESS_PORT,
    },
    dataDir: resolve(env.DATA_DIR),
    databaseUrl: env.DATABASE_URL && withPassword(env.DATABASE_URL, env.DATABASE_PASSWORD),
    setupCode: env.SETUP_CODE,
    sessions: {
      secret: env.JWT_SECRET,
      previousSecret: env.JWT_SECRET_PREVIOUS,
      lifetimeHours: env.JWT_EXPIRATION_HOURS,
    },
    passwordMinLength: env.PASSWORD_MIN_LENGTH,
    auditKeptDays: env.AUDIT_KEPT_DAYS,
    outboundAllowed: env.OUTBOUND_ALLOWED,
    logLevel: env.LOG_LEVEL,
  };
}

function outerBroker(
  url: string | null,
  username: string | null,
  password: string | null,
  ca: Buffer | null,
): OuterBroker | null {
  return url === null ? null : { url, username, password, ca };
}

/** @param broker how the names of its settings begin. */
function problemsOfBroker(broker: string, values: Readonly<Record<string, string>>): string[] {
  const isNamed = values[`${broker}_URL`] !== undefined;
  const alone = ["USERNAME", "PASSWORD", "CA_FILE"].map((word) => `${broker}_${word}`);
  const problems = isNamed
    ? []
    : alone
        .filter((name) => values[name] !== undefined)
        .map((name) => `${name}: ${broker}_URL is missing, the broker that it is for`);
  if (values[`${broker}_PASSWORD`] !== undefined && values[`${broker}_USERNAME`] === undefined)
    problems.push(`${broker}_PASSWORD: ${broker}_USERNAME is missing`);
  return problems;
}

/** A password of its own may hold any characters, where one inside an address has to be percent-encoded. */
function withPassword(databaseUrl: string, password: string | null): string {
  if (password === null) return databaseUrl;
  const url = new URL(databaseUrl);
  // an address without a host, of a socket, has no place for one before it
  if (url.hostname === "") url.searchParams.set("password", password);
  else url.password = encodeURIComponent(password);
  return url.href;
}

/** An empty variable counts as not set, as compose files like to write it. */
function withSecretFiles(
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined && value !== "") values[name] = value;
  for (const name of SECRETS) {
    const file = values[`${name}_FILE`];
    if (file === undefined) continue;
    const content = readSettingFile(`${name}_FILE`, file, problems);
    if (content) values[name] = content.toString("utf8").trim();
  }
  return values;
}

function readTls(values: Readonly<Record<string, string>>, problems: string[]): { cert: Buffer; key: Buffer } | null {
  const { TLS_CERT_FILE, TLS_KEY_FILE } = values;
  if ((TLS_CERT_FILE === undefined) !== (TLS_KEY_FILE === undefined)) {
    problems.push(`${TLS_CERT_FILE ? "TLS_KEY_FILE" : "TLS_CERT_FILE"}: TLS_CERT_FILE and TLS_KEY_FILE go together`);
  }
  const cert = TLS_CERT_FILE && readSettingFile("TLS_CERT_FILE", TLS_CERT_FILE, problems);
  const key = TLS_KEY_FILE && readSettingFile("TLS_KEY_FILE", TLS_KEY_FILE, problems);
  return cert && key ? { cert, key } : null;
}

function readOptionalFile(name: string, values: Readonly<Record<string, string>>, problems: string[]): Buffer | null {
  const path = values[name];
  return (path !== undefined && readSettingFile(name, path, problems)) || null;
}

function readSettingFile(name: string, path: string, problems: string[]): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    problems.push(`${name}: cannot read ${path} (${(error as NodeJS.ErrnoException).code ?? "unknown error"})`);
    return undefined;
  }
}

function isKnownWeak(secret: string): boolean {
  const lower = secret.toLowerCase();
  if (new Set(lower).size < 8) return true;
  return KNOWN_WEAK.reduce((rest, weak) => rest.replaceAll(weak, ""), lower).length < 16;
}
