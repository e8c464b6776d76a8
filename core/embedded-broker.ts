import { type Broker, startBroker } from "../broker/broker.ts";
import type { Config } from "./config.ts";
import { StartError } from "./kernel/start-error.ts";

/** Starts the hub's own broker as the settings say. @throws StartError with a sentence for the operator. */
export async function openBroker(
  config: Config,
  { policy, log }: Pick<Parameters<typeof startBroker>[0], "policy" | "log">,
): Promise<Broker> {
  const { host, port, tls, baseTopic, discoveryPrefix } = config.mqtt;
  try {
    return await startBroker({ baseTopic, discoveryPrefix, tcp: { host, port }, tls, policy, log });
  } catch (error) {
    const { code, port: taken } = error as { code?: string; port?: number };
    if (code === "EADDRINUSE")
      throw new StartError(
        `The MQTT port ${taken ?? port} is taken by another program. Set MQTT_PORT (and MQTT_TLS_PORT) to free ones.`,
        { cause: error },
      );
    if (code === "EACCES")
      throw new StartError(
        `The MQTT port ${taken ?? port} may not be opened by this user. Set MQTT_PORT to one above 1023.`,
        { cause: error },
      );
    throw new StartError(`The MQTT broker could not be started: ${(error as Error).message}`, { cause: error });
  }
}
