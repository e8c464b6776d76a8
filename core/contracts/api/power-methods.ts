import { z } from "zod";
import { DeviceAddress, Port } from "../address.ts";
import { text } from "../text.ts";
import { PowerOffAction } from "../power-action.ts";

const topic = z
  .string()
  .min(1)
  .max(200)
  .refine((name) => !/[+#\p{Cc}]/u.test(name) && !name.startsWith("$"), "is no topic name");

/** What is run, sent or called for each way of going down; what is left out the device cannot do in this way. */
const perAction = <Value extends z.ZodType>(value: Value) => z.partialRecord(PowerOffAction, value);

/** As `ssh-keygen -l` shows it. */
const HostKey = z
  .string()
  .trim()
  .regex(/^SHA256:[a-zA-Z0-9+/]{43}=?$/, "is no fingerprint such as SHA256:…, with 43 characters after the colon")
  .overwrite((fingerprint) => fingerprint.replace(/=$/, ""));

export const SshMethod = z
  .object({
    type: z.literal("ssh"),
    host: DeviceAddress.nullable().default(null).describe("null = the device's own address"),
    port: Port.default(22),
    username: text(64),
    hostKey: HostKey.nullable()
      .default(null)
      .describe("SHA256:… of the host's key; null = pin the one that it shows first"),
    commands: perAction(text(500)),
  })
  .strict();
export type SshMethod = z.infer<typeof SshMethod>;

export const MqttMethod = z
  .object({
    type: z.literal("mqtt"),
    topic,
    payloads: perAction(text(500)),
    stateTopic: topic.nullable().default(null).describe("tells whether power flows, such as stat/plug/POWER"),
    statePath: text(100)
      .nullable()
      .default(null)
      .describe("the field in a JSON payload, such as state or POWER; null = the payload itself"),
    stateOn: text(40).default("ON"),
    stateOff: text(40).default("OFF"),
    wattsTopic: topic.nullable().default(null),
    wattsPath: text(100).nullable().default(null).describe("such as ENERGY.Power or power"),
    standbyWatts: z
      .number()
      .min(0)
      .max(10_000)
      .nullable()
      .default(null)
      .describe("below it the machine is off; null = watts are no evidence"),
  })
  .strict()
  .refine(({ stateOn, stateOff }) => stateOn.toLowerCase() !== stateOff.toLowerCase(), {
    error: "is the word for on, too",
    path: ["stateOff"],
  });
export type MqttMethod = z.infer<typeof MqttMethod>;

/** What an HTTP header may hold: RFC 9110 §5.5. */
const headerValue = (maxLength: number) =>
  text(maxLength).refine(
    (value) => /^[\t\x20-\x7e\x80-\xff]*$/.test(value),
    "holds a character that no header may hold",
  );

/** RFC 9110 §5.1; and what frames the message is for the hub to write. */
const HeaderName = text(100)
  .refine((name) => /^[\w!#$%&'*+.^`|~-]+$/.test(name), "is no name of a header")
  .refine((name) => !FRAMING.has(name.toLowerCase()), "is a header that the hub writes itself");
const FRAMING: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "transfer-encoding",
  "upgrade",
  "expect",
]);
const MAX_HEADERS = 50;

export const HttpMethod = z
  .object({
    type: z.literal("http"),
    requests: perAction(
      z
        .object({
          method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).default("POST"),
          url: z.url({ protocol: /^https?$/ }).max(500),
          body: text(10_000).nullable().default(null),
          contentType: headerValue(100).default("application/json"),
        })
        .strict(),
    ),
  })
  .strict();
export type HttpMethod = z.infer<typeof HttpMethod>;

/** Another way than an agent on the machine. What is secret in it stands apart and is never shown. */
export const PowerMethod = z.discriminatedUnion("type", [SshMethod, MqttMethod, HttpMethod]);
export type PowerMethod = z.infer<typeof PowerMethod>;

/** Kept encrypted. Omitted = as it was; null = none. */
export const PowerMethodSecrets = z
  .object({
    privateKey: text(20_000).nullable().optional().describe("of ssh: in OpenSSH or PEM form"),
    passphrase: text(500).nullable().optional(),
    headers: z
      .record(HeaderName, headerValue(2_000))
      .refine((headers) => Object.keys(headers).length <= MAX_HEADERS, `holds more than ${MAX_HEADERS} headers`)
      .nullable()
      .optional()
      .describe("of http: such as Authorization"),
  })
  .strict();
export type PowerMethodSecrets = z.infer<typeof PowerMethodSecrets>;

/** `PUT /api/devices/{id}/power-method`. */
export const PowerMethodBody = z.object({ method: PowerMethod, secrets: PowerMethodSecrets.default({}) }).strict();
export type PowerMethodBody = z.infer<typeof PowerMethodBody>;

export const PowerMethodAnswer = z.object({
  method: PowerMethod.nullable(),
  secretsSet: z.array(z.enum(["privateKey", "passphrase", "headers"])),
  publicKey: z.string().nullable().describe("of ssh: the line for authorized_keys"),
});
export type PowerMethodAnswer = z.infer<typeof PowerMethodAnswer>;
