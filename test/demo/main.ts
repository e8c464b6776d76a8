import { randomBytes } from "node:crypto";
import { styleText } from "node:util";
import { readConfig } from "#core/config.ts";
import { onEndSignal } from "#core/kernel/end-signals.ts";
import { createLog } from "#core/kernel/log.ts";
import { type Hub, startHub } from "#core/hub.ts";
import { createApi } from "#test/fixtures/api.ts";
import { Cleanup } from "../bench/cleanup.ts";
import { type Account, openDoor } from "./door.ts";
import { dataDirOf, makeFolder, removeFolder, runningPostgres } from "./folder.ts";
import { created, furnish, runAgent } from "./furnish.ts";
import { writeHistory } from "./history.ts";
import { startMachines } from "./machines.ts";
import { onNpmGone } from "./npm-gone.ts";
import { startSweeper } from "./sweeper.ts";

/**
 * `npm run demo`: a real hub with real agents, and six simulated machines to wake and power off, for somebody who has none at hand.
 *
 * Hub, door and machines take connections on loopback only. Everything lives in one temporary folder and goes when the demo ends.
 */

const ACCOUNT: Account = { username: "demo", password: randomBytes(9).toString("base64url") };

const say = (text = "") => process.stdout.write(`${text}\n`);

const over = Promise.withResolvers<void>();
let isEnding = false;
onEndSignal(() => endBecause("Ending…"));
onNpmGone(() => endBecause("Ending: npm is gone"));
const cleanup = new Cleanup();
let exitCode = 0;
try {
  await start();
  await over.promise;
} catch (error) {
  process.stderr.write(`The demo could not be started: ${(error as Error).message}\n`);
  exitCode = 1;
}
await cleanup.run();
process.exit(exitCode);

async function start(): Promise<void> {
  say("PowerBeacon: a hub, two agents and six simulated machines");
  const folder = makeFolder();
  startSweeper(folder);
  cleanup.add(() => removeFolder(folder));
  const machines = await startMachines();
  for (const machine of machines) cleanup.add(() => machine.close());

  let hub = await startDemoHub(folder, { http: 0, mqtt: 0 });
  cleanup.add(() => hub.close());
  const ports = { http: hub.httpPort, mqtt: hub.mqttPort ?? 0 };
  const url = `http://127.0.0.1:${ports.http}`;
  created(await createApi(url).post("/setup/init", { ...ACCOUNT, setupCode: hub.setupCode }));
  const api = await createApi(url).logIn(ACCOUNT);
  const furniture = await furnish({ url, api, folder }, machines);
  await writeHistory((await runningPostgres(folder)).url, furniture, new Date());
  await hub.close();
  hub = await startDemoHub(folder, ports); // it reads the history when it starts

  for (const joined of furniture.agents) {
    const agent = await runAgent(joined);
    cleanup.add(() => agent.close());
  }
  for (const ownAgent of furniture.ownAgents) {
    ownAgent.start();
    cleanup.add(() => ownAgent.close());
  }
  const permissions = ["read", "wake", "power", "discovery"];
  const client = created(await api.post("/mqtt-clients", { name: "Demo", permissions }));
  const door = await openDoor(url, ACCOUNT);
  cleanup.add(() => door.close());

  say(`
  Open ${styleText("bold", door.url)}

  hub    ${url} · user ${ACCOUNT.username} · password ${ACCOUNT.password} · documents at ${url}/api/docs
  MQTT   mosquitto_sub -h 127.0.0.1 -p ${ports.mqtt} -u ${client.username} -P ${client.password} -t 'powerbeacon/#' -v

  Wake the Gaming PC: it is up after four seconds. The Backup server hears only the second burst, the Workstation never
  answers, and the Media player goes to sleep after three minutes. The NAS, the Gaming PC and Proxmox can be powered off:
  on the Gaming PC somebody is told first, and Proxmox, which the Backup server needs, is held on by a lease.

  Ctrl-C ends it and removes everything.`);
}

/** A hub on free ports, or on those that it had before. */
async function startDemoHub(folder: string, ports: { http: number; mqtt: number }): Promise<Hub> {
  const config = readConfig({
    HTTP_HOST: "127.0.0.1",
    HTTP_PORT: String(ports.http),
    MQTT_HOST: "127.0.0.1",
    MQTT_PORT: String(ports.mqtt),
    DATA_DIR: dataDirOf(folder),
    LOG_LEVEL: "warn",
  });
  const log = await createLog(config.logLevel);
  return startHub(config, { log, postgresSettings: { fsync: "off" }, onFatal: endBecause });
}

/** The first reason counts: when npm is ended, we hear of it in several ways. */
function endBecause(reason: string): void {
  if (isEnding) return;
  isEnding = true;
  say(reason);
  over.resolve();
}
