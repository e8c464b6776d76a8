import { parseArgs } from "node:util";
import { type Agent, startAgent } from "./agent.ts";
import { AgentError } from "./agent-error.ts";
import { type AgentConfig, readConfig } from "./config.ts";
import { type Credential, credentialFile, readCredential } from "./credential.ts";
import { onEndSignal } from "./end-signals.ts";
import { joinHub } from "./join.ts";
import { joinWhenReady } from "./join-when-ready.ts";
import { keepHeapLean } from "./lean-heap.ts";
import { createLog, type Log } from "./log.ts";
import { askRunning, openStatusDoor, sayNotNow, type StatusDoor } from "./status-door.ts";
import { VERSION } from "./version.ts";

/** How this program was called: in a checkout through npm, else by its name. */
const PROGRAM = process.env["npm_lifecycle_event"] === "agent" ? "npm run agent --" : "powerbeacon-agent";

const USAGE = `PowerBeacon agent ${VERSION}

  ${PROGRAM} join <hub-url> <code>   joins a hub with a join code
      --name NAME                    the agent's name; without it the host name
      --replace                      joins anew where this machine has joined already
  ${PROGRAM} run                     runs; joins first with HUB_URL and JOIN_CODE where it has not
  ${PROGRAM} status                  tells which hub this machine has joined, and fails unless it is connected
  ${PROGRAM} not-now                 keeps this machine up that is about to be powered off

  --state DIR   where the credential is kept (or STATE_DIR): /var/lib/powerbeacon-agent for root,
                else ~/.local/state/powerbeacon-agent`;

/** 0 done · 1 it could not · 2 called wrongly · 3 the hub has removed this agent */
const EXIT = { failed: 1, usage: 2, removed: 3 } as const;

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments(args);
  const [command, ...rest] = positionals;
  if (values.version) return say(VERSION);
  if (values.help || command === undefined) return say(USAGE);
  const environment = readConfig(process.env);
  const config = { ...environment, stateDir: values.state ?? environment.stateDir };
  if (command === "join") return join(rest, config, { name: values.name ?? null, replace: values.replace });
  if (command === "run" && rest.length === 0) return run(config);
  if (command === "status" && rest.length === 0) return status(config);
  if (command === "not-now" && rest.length === 0) return notNow(config);
  throw new UsageError(`"${positionals.join(" ")}" is not a command of this agent`);
}

async function join(
  [hubUrl, code, ...more]: readonly string[],
  { stateDir }: AgentConfig,
  options: { readonly name: string | null; readonly replace: boolean },
): Promise<void> {
  if (hubUrl === undefined || code === undefined || more.length > 0)
    throw new UsageError("join needs the address of the hub and a join code");
  const { agent } = await joinHub({ hubUrl, code, stateDir, ...options });
  say(
    `Joined ${hubUrl} as "${agent}"; its state is in ${stateDir}. Now run it: the same command, with run in place of join.`,
  );
}

async function run(config: AgentConfig): Promise<void> {
  const log = createLog({ level: config.logLevel, stream: process.stdout });
  let agent: Agent | undefined;
  let door: StatusDoor | undefined;
  const leave = (exitCode: number) => {
    const close = async () => {
      door?.close();
      await agent?.close();
    };
    close()
      .catch((error: unknown) => log.error({ error }, "The agent could not end as it should"))
      .finally(() => {
        log.info({}, "The agent ends");
        process.exit(exitCode);
      });
  };
  onEndSignal(() => leave(0));
  const credential = (await readCredential(config.stateDir)) ?? (await joinByEnvironment(config, log));
  log.info({ agent: credential.agent, hub: credential.mqttUrl, version: VERSION }, "Starting");
  const answers = {
    isConnected: () => agent?.isConnected ?? false,
    notNow: (who: string) => agent?.notNow(who) ?? false,
  };
  door = await openStatusDoor(config.stateDir, answers, log);
  agent = await startAgent({
    credential,
    stateDir: config.stateDir,
    log,
    listens: config.listen !== "off",
    onRevoked: () => leave(EXIT.removed),
  });
  keepHeapLean();
}

async function joinByEnvironment({ hubUrl, joinCode, stateDir }: AgentConfig, log: Log): Promise<Credential> {
  if (hubUrl === undefined || joinCode === undefined)
    throw new AgentError(`This agent has not joined a hub: use "join", or set HUB_URL and JOIN_CODE (${stateDir})`);
  return joinWhenReady({ hubUrl, code: joinCode, name: null, stateDir }, log);
}

async function status({ stateDir }: AgentConfig): Promise<void> {
  const credential = await readCredential(stateDir);
  if (!credential) throw new AgentError(`This agent has not joined a hub (${stateDir})`);
  say(`Joined ${credential.hubUrl} as "${credential.agent}" on ${credential.joinedAt.slice(0, 10)}.`);
  say(`Connects to ${credential.mqttUrl}; its credential is ${credentialFile(stateDir)}.`);
  const running = await askRunning(stateDir);
  if (running === "not running") throw new AgentError("It does not run.");
  if (running === "not connected") throw new AgentError("It runs, but is not connected; its log says why.");
  say("It runs and is connected.");
}

async function notNow({ stateDir }: AgentConfig): Promise<void> {
  const answer = await sayNotNow(stateDir);
  if (answer !== "stays up") throw new AgentError("No agent on this machine is about to power it off.");
  say("This machine stays up.");
}

class UsageError extends Error {}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        state: { type: "string" },
        name: { type: "string" },
        replace: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
        version: { type: "boolean", default: false },
      },
    });
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause });
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof UsageError) process.stderr.write(`${error.message}\n\n${USAGE}\n`);
  else if (error instanceof AgentError) process.stderr.write(`${error.message}\n`);
  else process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? EXIT.usage : EXIT.failed;
});
