import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { EntityManager } from "@mikro-orm/postgresql";
import ormConfig from "../mikro-orm.config.ts";
import { type ChainReport, verifyAudit } from "./audit/verify.ts";
import { loadAgentCredentials } from "./agents/credentials.ts";
import { recover } from "./auth/recovery.service.ts";
import { rotateSigningKeys } from "./auth/signing-keys.ts";
import { type Config, ConfigError, readConfig } from "./config.ts";
import { askDoctor } from "./doctor/doctor-command.ts";
import { keptSecret, replaceFile } from "./kernel/data-folder.ts";
import { type DatabaseVisit, visitDatabase } from "./kernel/database-visit.ts";
import { type EmbeddedPostgres, joinEmbeddedPostgres } from "./kernel/embedded-postgres.ts";
import { HubError } from "./kernel/errors.ts";
import { SealedSecrets } from "./kernel/sealed-secrets.ts";
import { loadSchedules } from "./schedules/schedules.ts";
import { StartError } from "./kernel/start-error.ts";
import { loadDirectory } from "./members/directory-entries.ts";
import { loadMqttCredentials } from "./mqtt-clients/mqtt-credentials.ts";
import { brokerClients } from "./outer-broker.ts";
import { MOSQUITTO_FILES } from "./own-broker/mosquitto-files.ts";
import { sealAnew } from "./power-methods/power-methods.service.ts";
import { Site } from "./sites/site.entity.ts";

/** The command `powerbeacon`: what an operator does on the hub's own machine, with the hub's settings, while it runs or not. */

const HELP = `What an operator does on the machine of the hub, as the user that the hub runs as:

  npm run powerbeacon -- recover [--username NAME]   makes a new superuser with a one-time password
  npm run powerbeacon -- doctor DEVICE               tells why a device does not wake, or would not, and what to do
  npm run powerbeacon -- audit verify                proves that nobody changed the audit log
  npm run powerbeacon -- rotate-keys                 puts a new key in use that signs sessions
  npm run powerbeacon -- rotate-secrets              encrypts the secrets of devices, such as SSH keys, with a new key
  npm run powerbeacon -- mqtt acl [--into DIR]       writes Mosquitto's ACL file: to DIR/acl, or for you to see
  npm run powerbeacon -- mqtt passwords [--into DIR] writes Mosquitto's password file in the same way
  npm run powerbeacon -- --help                      says this

The settings are those of the hub: the environment, or the file .env.
`;

interface Options {
  readonly username: string | undefined;
  readonly into: string | undefined;
  /** What the command is about; empty where it takes nothing. */
  readonly subject: string;
}

/** Where the command writes to. Texts end in their own line breaks. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

type Say = (line: string) => void;

const COMMANDS: Readonly<Record<string, (config: Config, options: Options, say: Say) => Promise<boolean>>> = {
  recover: async (config, { username }, say) => {
    const made = await withDatabase(config, (em) => recover(em, username, new Date()));
    say(`A new superuser can log in. The password is shown this once, and the first log-in asks for another.\n`);
    say(`  user name  ${made.username}`);
    say(`  password   ${made.password}`);
    return true;
  },
  doctor: async (config, { subject }, say) => {
    checkDataFolder(config);
    const { lines, fine } = await askDoctor(config.dataDir, subject);
    for (const line of lines) say(line);
    return fine;
  },
  "audit verify": async (config, _options, say) => {
    const { reports, keys } = await withDatabase(config, async (em) => ({
      reports: await verifyAudit(em),
      keys: new Map((await em.find(Site, {})).map(({ id, key }) => [id, key])),
    }));
    if (reports.length === 0) say("The audit log is empty.");
    for (const report of reports) say(`${nameOf(report, keys)}: ${verdictOn(report)}`);
    return reports.every(({ problem }) => problem === null);
  },
  "rotate-keys": async (config, _options, say) => {
    if (config.sessions.secret !== null)
      throw new StartError("JWT_SECRET holds the key: move it to JWT_SECRET_PREVIOUS and set JWT_SECRET to a new one.");
    checkDataFolder(config);
    rotateSigningKeys(config.dataDir);
    say("A new key signs sessions from the hub's next start on; those that the last one signed go on.");
    return true;
  },
  "rotate-secrets": async (config, _options, say) => {
    checkDataFolder(config);
    const secrets = new SealedSecrets(config.dataDir);
    secrets.addKey(); // a hub that runs takes it at once
    const count = await withDatabase(config, (em) => sealAnew(em, secrets));
    secrets.dropOldKeys();
    say(`A new key is in use; the secrets of ${count} ${count === 1 ? "device" : "devices"} were encrypted with it.`);
    return true;
  },
  "mqtt acl": (config, options, say) => writeMosquittoFile("acl", config, options, say),
  "mqtt passwords": (config, options, say) => writeMosquittoFile("passwords", config, options, say),
};

async function writeMosquittoFile(
  name: keyof typeof MOSQUITTO_FILES,
  config: Config,
  { into }: Options,
  say: Say,
): Promise<boolean> {
  checkDataFolder(config);
  const clients = await withDatabase(config, async (em) => {
    const directory = await loadDirectory(em);
    const agents = await loadAgentCredentials(em, directory);
    const integrations = await loadMqttCredentials(em, directory);
    return (await brokerClients(config, { directory, schedules: await loadSchedules(em), agents, integrations }))();
  });
  const content = MOSQUITTO_FILES[name](clients);
  if (into === undefined) say(content.trimEnd());
  else putInto(into, name, content);
  return true;
}

function putInto(folder: string, name: string, content: string): void {
  try {
    replaceFile(folder, name, content);
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    throw new StartError(`The folder ${folder} cannot be written (${code}).`, { cause: error });
  }
}

function nameOf({ siteId }: ChainReport, keys: ReadonlyMap<string, string>): string {
  if (siteId === null) return "hub";
  return `site ${keys.get(siteId) ?? `${siteId} (deleted)`}`;
}

function verdictOn({ rows, problem, lastHash }: ChainReport): string {
  if (problem !== null) return `NOT whole: ${problem}`;
  return `${rows.toLocaleString("en")} ${rows === 1 ? "row" : "rows"}, whole, ends with ${lastHash}`;
}

/** Opens the hub's database, and leaves everything as it was: an embedded Postgres that did not run is ended again. */
async function withDatabase<T>(config: Config, work: (em: EntityManager) => Promise<T>): Promise<T> {
  const postgres = config.databaseUrl === null ? await embeddedPostgres(config) : undefined;
  let visit: DatabaseVisit | undefined;
  try {
    visit = await visitDatabase(config.databaseUrl ?? postgres?.url ?? "", ormConfig);
    return await work(visit.em);
  } finally {
    const isAdopted = await visit?.isHubRunning(); // by a hub that started meanwhile
    await visit?.close();
    if (postgres?.launched && !isAdopted) await postgres.close();
  }
}

async function embeddedPostgres(config: Config): Promise<EmbeddedPostgres> {
  checkDataFolder(config);
  return await joinEmbeddedPostgres({
    dataDir: config.dataDir,
    password: keptSecret(config.dataDir, "postgres-password"),
  });
}

/** A secret that is not there would be made, and a hub along with it. */
function checkDataFolder({ dataDir }: Config): void {
  if (!existsSync(join(dataDir, "secrets", "hub-key.json")))
    throw new StartError(
      `There is no hub in the data folder ${dataDir}, or it is another user's: run this with the hub's DATA_DIR, as its user.`,
    );
}

/** @throws StartError for what is no command of ours. */
function readArguments(args: string[]): { help: boolean; command: string; options: Options } {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { username: { type: "string" }, into: { type: "string" }, help: { type: "boolean", short: "h" } },
    });
    const [first = "", ...rest] = positionals;
    const isAboutDevice = first === "doctor";
    const command = isAboutDevice ? first : positionals.join(" ");
    const subject = isAboutDevice ? rest.join(" ") : "";
    const help = values.help === true;
    if (!help && !Object.hasOwn(COMMANDS, command))
      throw new TypeError(command === "" ? "No command was given." : `There is no command "${command}".`);
    const { username, into } = values;
    if (username !== undefined && command !== "recover") throw new TypeError("--username belongs to recover.");
    if (into !== undefined && !command.startsWith("mqtt ")) throw new TypeError("--into belongs to mqtt.");
    if (isAboutDevice && !help && subject === "") throw new TypeError("Name a device by its key, such as doctor nas.");
    return { help, command, options: { username, into, subject } };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new StartError(`${error.message} Try: npm run powerbeacon -- --help`, { cause: error });
  }
}

/** Runs one command. @returns whether all is well. */
export async function powerbeacon(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  { out, err }: Terminal,
): Promise<boolean> {
  try {
    const { help, command, options } = readArguments([...args]);
    if (help) return (out(HELP), true);
    return (await COMMANDS[command]?.(readConfig(environment), options, (line) => out(`${line}\n`))) === true;
  } catch (error) {
    const isForOperator = [StartError, ConfigError, HubError].some((kind) => error instanceof kind);
    err(`${isForOperator ? (error as Error).message : String((error as Error).stack)}\n`);
    return false;
  }
}

if (import.meta.main) {
  const terminal = {
    out: (text: string) => process.stdout.write(text),
    err: (text: string) => process.stderr.write(text),
  };
  if (!(await powerbeacon(process.argv.slice(2), process.env, terminal))) process.exitCode = 1;
}
