import type { Logger } from "pino";
import { ConfigError, readConfig } from "./config.ts";
import { type Hub, startHub } from "./hub.ts";
import { onEndSignal } from "./kernel/end-signals.ts";
import { createLog } from "./kernel/log.ts";
import { StartError } from "./kernel/start-error.ts";
import { VERSION } from "./version.ts";

/** Runs the hub as a process of its own. */
async function run(): Promise<void> {
  let log = await createLog("info");
  const fail = (reason: string): never => {
    log.fatal(reason);
    process.exit(1);
  };
  try {
    const config = readConfig(process.env);
    log = await createLog(config.logLevel);
    const hub = await startHub(config, { log, onFatal: fail });
    onEndSignal(() => end(hub, log));
    const address = config.http.publicUrl ?? `http://localhost:${hub.httpPort}`;
    const mqtt = config.mqtt.outer ? `at ${config.mqtt.outer.url}` : `on port ${hub.mqttPort}`;
    log.info(`PowerBeacon ${VERSION} is ready: ${address} · MQTT ${mqtt}`);
    if (hub.setupCode !== null)
      log.info(`Not set up yet: open ${address}; the one-time set-up code is ${hub.setupCode}`);
  } catch (error) {
    if (error instanceof ConfigError || error instanceof StartError) fail(error.message);
    log.fatal({ err: error }, "The hub could not be started");
    process.exit(1);
  }
}

function end(hub: Hub, log: Logger): void {
  log.info("The hub ends");
  hub.close().then(
    () => process.exit(0),
    (error: unknown) => {
      log.error({ err: error }, "The hub did not end cleanly");
      process.exit(1);
    },
  );
}

await run();
