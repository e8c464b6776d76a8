import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Installation, findExisting, findInstallation, initialise } from "./postgres-installation.ts";
import { StartError } from "./start-error.ts";

/**
 * A real PostgreSQL of the hub's own: binaries from npm, data under the data folder, loopback only, a password.
 *
 * It is a process of its own. A hub that was killed leaves it behind; the next one adopts it through its pid file.
 */

export interface EmbeddedPostgres {
  readonly url: string;
  /** Where its data is: below the hub's data folder, unless its user cannot reach that. */
  readonly dataDir: string;
  /** False when it ran already: left behind by a hub that was killed, or another hub's. */
  readonly launched: boolean;
  /** Starts it again on the same port where it died. */
  revive(): Promise<void>;
  /** Ends it with a fast shutdown and waits until it is gone. */
  close(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  readonly dataDir: string;
  readonly password: string;
  /** Extra server settings; tests give up durability for speed here. */
  readonly settings?: Readonly<Record<string, string>>;
}

const START_PATIENCE_MS = 60_000;
const STOP_PATIENCE_MS = 4_000;

export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const installation = await findInstallation(options.dataDir);
  if (!fs.existsSync(join(installation.data, "PG_VERSION")))
    initialise(installation, options.password, options.settings?.["fsync"] !== "off");
  return await serve(installation, options);
}

/**
 * For a command beside the hub: the server that runs now, else the one whose data is there, started. It makes none.
 *
 * @throws StartError when there is none in the data folder.
 */
export async function joinEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const installation = await findExisting(options.dataDir);
  if (!installation) throw new StartError(`There is no database in the data folder ${options.dataDir} yet.`);
  return await serve(installation, options);
}

async function serve(installation: Installation, options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const settings = options.settings ?? {};
  let server = runningServer(installation.data) ?? (await launch(installation, settings, await freePort()));
  const { port, launched } = server;
  return {
    url: `postgres://powerbeacon:${encodeURIComponent(options.password)}@127.0.0.1:${port}/powerbeacon`,
    dataDir: installation.data,
    launched,
    revive: async () => {
      server = runningServer(installation.data) ?? (await launch(installation, settings, port));
    },
    close: () => stop(server.pid, installation.data),
  };
}

interface Server {
  readonly pid: number;
  readonly port: number;
  readonly launched: boolean;
}

/** Reads `postmaster.pid` (line 1 the process, 4 the port, 8 `ready`), undefined when nobody runs there. */
function runningServer(data: string, launchedPid?: number): Server | undefined {
  const lines = readLines(join(data, "postmaster.pid"));
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  if (!pid || !port || lines[7]?.trim() !== "ready" || !isServerOf(data, pid)) return undefined;
  return { pid, port, launched: pid === launchedPid };
}

function readLines(path: string): string[] {
  try {
    return fs.readFileSync(path, "utf8").split("\n");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** After a reboot the pid of the file may be anybody's, another Postgres' too. */
function isServerOf(data: string, pid: number): boolean {
  if (!isAlive(pid)) return false;
  if (process.platform !== "linux") return true;
  return readLines(`/proc/${pid}/cmdline`).join("\n").split("\0").includes(data);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Postgres itself refuses to start while a process of its user has the number in its pid file, whatever that is. */
function forgetStranger(data: string): void {
  const file = join(data, "postmaster.pid");
  const pid = Number(readLines(file)[0]);
  if (pid && isAlive(pid) && !isServerOf(data, pid)) fs.rmSync(file, { force: true });
}

async function launch(
  installation: Installation,
  settings: Readonly<Record<string, string>>,
  port: number,
): Promise<Server> {
  const { bin, data, log, owner } = installation;
  forgetStranger(data);
  const all: Record<string, string> = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    shared_buffers: "32MB",
    max_connections: "50",
    ...settings,
  };
  const file = fs.openSync(log, "w", 0o600);
  const child = spawn(
    join(bin, "postgres"),
    ["-D", data, "-p", String(port), ...Object.entries(all).map(([name, value]) => `--${name}=${value}`)],
    {
      ...owner,
      cwd: data,
      env: {},
      stdio: ["ignore", file, file],
      detached: true, // Ctrl-C reaches the whole foreground group, and the hub still needs its database while it stops
    },
  );
  fs.closeSync(file);
  child.unref();
  return await ready(child, data, log);
}

/** Waits until the server takes connections; one that another hub launched at the same moment serves as well. */
async function ready(child: ChildProcess, data: string, log: string): Promise<Server> {
  let problem: string | undefined;
  const ended = once(child, "exit").then(
    () => (problem ??= "it ended"),
    (error: Error) => (problem ??= error.message),
  );
  for (const started = performance.now(); performance.now() - started < START_PATIENCE_MS;) {
    const server = runningServer(data, child.pid);
    if (server) return server;
    await Promise.race([delay(20), ended]);
    if (problem && !isLocked(data)) break;
    if (problem) await delay(20);
  }
  const last = readLines(log).findLast((line) => /FATAL|PANIC|ERROR/.test(line));
  throw new StartError(
    `The embedded Postgres in ${data} does not start: ${last ?? problem ?? "it takes too long"}. Its log is ${log}.`,
  );
}

function isLocked(data: string): boolean {
  const pid = Number(readLines(join(data, "postmaster.pid"))[0]);
  return Boolean(pid) && isServerOf(data, pid);
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function stop(pid: number, data: string): Promise<void> {
  if (!isServerOf(data, pid)) return;
  process.kill(pid, "SIGINT"); // fast shutdown: no waiting for clients, nothing lost
  for (const started = performance.now(); performance.now() - started < STOP_PATIENCE_MS;) {
    if (!isServerOf(data, pid)) return;
    await delay(10);
  }
  process.kill(pid, "SIGQUIT"); // immediate: it recovers from its log at the next start
}
