import { z } from "zod";
import type { MqttService } from "./supervisor.ts";

/** What a person sets in Home Assistant, as `schema` of config.yaml has it. */
export const Options = z.object({
  http_port: z.int(),
  mqtt_port: z.int(),
  home_assistant_broker: z.boolean(),
  discovery_prefix: z.string(),
  discovery_format: z.enum(["device", "single"]),
  public_url: z.string().optional(),
  join_code: z.string().optional(),
  setup_code: z.string().optional(),
  log_level: z.enum(["trace", "debug", "info", "warn", "error"]),
});
export type Options = z.infer<typeof Options>;

/** Home Assistant, and the supervisor that speaks for it: they say whose call they pass on. */
const PROXIES = "172.30.32.1,172.30.32.2";

type Environment = Readonly<Record<string, string>>;

/** @param mqtt Home Assistant's broker; undefined where it has none that apps may use. */
export function hubSettings(
  options: Options,
  { mqtt, ingressPort, dataDir }: { mqtt: MqttService | undefined; ingressPort: number; dataDir: string },
): Environment {
  return {
    DATA_DIR: dataDir,
    HTTP_PORT: String(options.http_port),
    MQTT_PORT: String(options.mqtt_port),
    HA_INGRESS_PORT: String(ingressPort),
    HA_DISCOVERY_PREFIX: options.discovery_prefix,
    HA_DISCOVERY_FORMAT: options.discovery_format,
    TRUST_PROXY: PROXIES,
    LOG_LEVEL: options.log_level,
    ...given({ PUBLIC_URL: options.public_url, SETUP_CODE: options.setup_code }),
    ...(mqtt && {
      HA_MQTT_URL: `${mqtt.ssl ? "mqtts" : "mqtt"}://${mqtt.host}:${mqtt.port}`,
      ...given({ HA_MQTT_USERNAME: mqtt.username, HA_MQTT_PASSWORD: mqtt.password }),
    }),
  };
}

export function agentSettings({ http_port, join_code, log_level }: Options, stateDir: string): Environment {
  return {
    HUB_URL: `http://127.0.0.1:${http_port}`,
    STATE_DIR: stateDir,
    LOG_LEVEL: log_level === "trace" ? "debug" : log_level,
    ...given({ JOIN_CODE: join_code }),
  };
}

function given(values: Readonly<Record<string, string | null | undefined>>): Environment {
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}
