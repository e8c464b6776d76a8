import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Options, agentSettings, hubSettings } from "./options.ts";
import { ingressPort, mqttService } from "./supervisor.ts";

/**
 * What the app starts: the hub, and beside it an agent where it was given a join code. The container ends with the hub.
 *
 *     node run.ts          runs both
 *     node run.ts health   0 = the hub answers
 */

const APP = join(import.meta.dirname, "../..");
const DATA = process.env["APP_DATA"] ?? "/data";
/** Both run as this user, and own what they write; unset = as whoever starts them. */
const USER_ID = process.env["APP_USER"] === undefined ? undefined : Number(process.env["APP_USER"]);
const AGENT_PAUSE_MS = 60_000;
const CREDENTIAL = "credential.json";
/** The exit code of an agent that the hub has removed. */
const REMOVED = 3;

const options = Options.parse(JSON.parse(readFileSync(join(DATA, "options.json"), "utf8")));
if (process.argv[2] === "health") await tellHealth();
else await run();

async function run(): Promise<void> {
  const { SUPERVISOR_TOKEN: token = "", SUPERVISOR_URL: url = "http://supervisor" } = process.env;
  const mqtt = options.home_assistant_broker ? await mqttService({ url, token }) : undefined;
  if (options.home_assistant_broker && !mqtt)
    say("Home Assistant has no MQTT broker that apps may use. Install the Mosquitto app, or connect it to the hub's.");
  const settings = { mqtt, ingressPort: await ingressPort({ url, token }), dataDir: ownFolder("hub") };
  const hub = start(["--max-semi-space-size=2", "core/main.ts"], hubSettings(options, settings));
  const agent = keepAgent();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => hub.kill("SIGTERM"));
  hub.on("close", (code) => {
    agent?.end();
    process.exitCode = code ?? 1;
  });
}

/** Runs an agent of this machine, and again when it ended otherwise than by our wish or the hub's. */
function keepAgent(): { end: () => void } | undefined {
  const stateDir = ownFolder("agent");
  if (!options.join_code && !existsSync(join(stateDir, CREDENTIAL))) return undefined;
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  const begin = () => {
    child = start(["agent/main.ts", "run"], agentSettings(options, stateDir));
    child.on("close", (code) => {
      if (code === REMOVED) forgetAgent(stateDir);
      else if (timer !== undefined) timer = setTimeout(begin, AGENT_PAUSE_MS);
    });
  };
  timer = setTimeout(begin, 0);
  return {
    end: () => {
      clearTimeout(timer);
      timer = undefined;
      child?.kill("SIGTERM");
    },
  };
}

function forgetAgent(stateDir: string): void {
  rmSync(join(stateDir, CREDENTIAL), { force: true });
  say("The hub has removed the agent of this app. A new join code brings another.");
}

/** The supervisor's token is for this script alone. */
function start(args: readonly string[], settings: Readonly<Record<string, string>>): ChildProcess {
  const { SUPERVISOR_TOKEN: _token, HASSIO_TOKEN: _sameToken, ...environment } = process.env;
  const user = USER_ID === undefined ? {} : { uid: USER_ID, gid: USER_ID };
  return spawn(process.execPath, args, { cwd: APP, env: { ...environment, ...settings }, stdio: "inherit", ...user });
}

/** A folder of the volume that the user of both may enter and write to. */
function ownFolder(name: string): string {
  const folder = join(DATA, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (USER_ID === undefined) return folder;
  chmodSync(DATA, statSync(DATA).mode | 0o011);
  chownSync(folder, USER_ID, USER_ID);
  return folder;
}

async function tellHealth(): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${options.http_port}/health`).catch(() => undefined);
  process.exitCode = answer?.ok === true ? 0 : 1;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
