import packageJson from "../../package.json" with { type: "json" };
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { keptSecret } from "#core/kernel/data-folder.ts";
import { startEmbeddedPostgres } from "#core/kernel/embedded-postgres.ts";
import { type Api, createApi } from "#test/fixtures/api.ts";
import type { Cleanup } from "./cleanup.ts";

export const ROOT = join(import.meta.dirname, "../..");
const ADMIN = { username: "admin", password: "correct horse battery" };
const START_PATIENCE_MS = 60_000;

/** A real hub in a process of its own, with its embedded Postgres, on free ports of loopback. */
export interface HubProcess {
  readonly pid: number;
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly url: string;
  /** From the start of the process to the line that says it is ready. Milliseconds. */
  readonly startMs: number;
  /** Calls as the superuser. */
  readonly api: Api;
  /** The address of its database, for rows that would take too long over HTTP. */
  databaseUrl(): Promise<string>;
  /** Ends it and starts it again on the same data and ports. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

interface Running {
  readonly child: ChildProcess;
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly startMs: number;
  readonly setupCode: string | undefined;
}

/** Starts a hub on an empty folder and sets it up. */
export async function startHubProcess(cleanup: Cleanup, env: Record<string, string> = {}): Promise<HubProcess> {
  const dataDir = mkdtempSync(join(tmpdir(), "powerbeacon-bench-"));
  chmodSync(dataDir, 0o711); // Postgres runs as another user where we are root
  cleanup.add(() => rmSync(dataDir, { recursive: true, force: true }));
  let running: Running | undefined;
  let child: ChildProcess | undefined; // known before it is ready: somebody may break off while it starts
  cleanup.add(async () => child && stop(child, dataDir));

  const start = async (ports: Record<string, string>) => {
    const spawned = spawnHub({ DATA_DIR: dataDir, ...ports, ...env });
    child = spawned;
    return untilReady(spawned);
  };
  running = await start({ HTTP_PORT: "0", MQTT_PORT: "0" });
  const first = running;
  const ports = { HTTP_PORT: String(first.httpPort), MQTT_PORT: String(first.mqttPort) };
  const url = `http://127.0.0.1:${first.httpPort}`;
  const anonymous = createApi(url);
  await anonymous.post("/setup/init", { ...ADMIN, setupCode: first.setupCode });
  const api = await anonymous.logIn(ADMIN);

  return {
    get pid() {
      return running?.child.pid ?? 0;
    },
    get startMs() {
      return running?.startMs ?? 0;
    },
    httpPort: first.httpPort,
    mqttPort: first.mqttPort,
    url,
    api,
    // it runs already, so this only finds it
    databaseUrl: async () =>
      (await startEmbeddedPostgres({ dataDir, password: keptSecret(dataDir, "postgres-password") })).url,
    restart: async () => {
      if (running) await stop(running.child, dataDir);
      running = await start(ports);
    },
    stop: async () => {
      if (running) await stop(running.child, dataDir);
      running = undefined;
    },
  };
}

/** Node's flags as `npm start` gives them. */
const SHIPPED_FLAGS = packageJson.scripts.start.split(" ").filter((word) => word.startsWith("--max"));

/** `BENCH_HUB_FLAGS` are further flags of Node for the hub, such as `--cpu-prof`. */
function spawnHub(env: Record<string, string>) {
  const more = process.env["BENCH_HUB_FLAGS"]?.split(" ").filter(Boolean) ?? [];
  const flags = [...SHIPPED_FLAGS, ...more];
  return spawn(process.execPath, [...flags, "core/main.ts"], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"], HTTP_HOST: "127.0.0.1", MQTT_HOST: "127.0.0.1", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

async function untilReady(child: ReturnType<typeof spawnHub>): Promise<Running> {
  const startedMs = performance.now();
  const output: string[] = [];
  const ended = once(child, "exit").then(() => {
    throw new Error(`the hub did not start:\n${output.join("\n")}`);
  });
  const ready = new Promise<Running>((resolve) => {
    let found: Omit<Running, "setupCode"> | undefined;
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (output.length < 100) output.push(line);
      if (process.env["BENCH_LOG"]) process.stderr.write(`${line}\n`);
      // a broker that is somebody else's has no port of ours
      const [, httpPort, mqttPort = "0"] =
        /is ready: http:\/\/[^ ]*?:(\d+) · MQTT (?:on port (\d+)|at )/.exec(line) ?? [];
      if (httpPort) {
        found = { child, httpPort: +httpPort, mqttPort: +mqttPort, startMs: performance.now() - startedMs };
        // the set-up code follows in the next line, where there is one
        setTimeout(() => found && resolve({ ...found, setupCode: undefined }), 100);
      }
      const [, setupCode] = /set-up code is ([0-9a-f]+)/.exec(line) ?? [];
      if (found && setupCode) resolve({ ...found, setupCode });
    });
  });
  ended.catch(() => {}); // a hub that ends later is no news
  const late = AbortSignal.timeout(START_PATIENCE_MS);
  return await Promise.race([ready, ended, once(late, "abort").then(() => Promise.reject(late.reason as Error))]);
}

async function stop(child: ChildProcess, dataDir: string): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
  await ended;
  clearTimeout(timer);
  if (child.signalCode !== "SIGKILL") return;
  // it could not end its Postgres any more
  const postgres = await startEmbeddedPostgres({ dataDir, password: keptSecret(dataDir, "postgres-password") });
  await postgres.close();
}
