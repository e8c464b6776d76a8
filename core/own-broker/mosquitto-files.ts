import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import type { DiscoveryRef } from "#contracts/discovery.ts";
import { keptSecret, replaceFile } from "../kernel/data-folder.ts";
import { lastingSalt, mosquittoHash } from "../kernel/mosquitto-password.ts";
import type { Directory } from "../members/directory.ts";
import type { Schedules } from "../schedules/schedules.ts";
import type { MqttCredentials } from "../mqtt-clients/mqtt-credentials.ts";
import { aclFile } from "./acl.rules.ts";
import { type BrokerClients, type FileClient, problemOfUsername } from "./broker-clients.ts";
import { NewlyReadable } from "./newly-readable.ts";
import { passwordFile } from "./passwords.rules.ts";

/** The files, by the names that they have in their folder. */
export const MOSQUITTO_FILES: Readonly<Record<"acl" | "passwords", (clients: BrokerClients) => string>> = {
  acl: aclFile,
  passwords: passwordFile,
};

/** Changes come in swarms: a cluster is filled, agents join. */
const GATHER_MS = 500;
/** Where there are many clients, no more than this share of the time goes into it. */
const LARGEST_SHARE = 0.05;

export interface MosquittoFilesOptions {
  readonly dataDir: string;
  readonly clients: () => BrokerClients;
  readonly directory: Directory;
  readonly schedules: Schedules;
  readonly integrations: MqttCredentials;
  readonly log: Logger;
}

export interface MosquittoFiles {
  /** Calls the handler with things that some clients may read only now, as the broker has read the files again. */
  onReload(handler: (refs: readonly DiscoveryRef[]) => void): void;
  close(): void;
}

/** Keeps Mosquitto's files in the data folder as they should be, from now until it is closed. */
export function keepMosquittoFiles(options: MosquittoFilesOptions): MosquittoFiles {
  const { dataDir, clients, directory, schedules, integrations, log } = options;
  const folder = join(dataDir, "mosquitto");
  const news = new NewlyReadable(directory);
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let tookMs = 0;

  function write(): void {
    timer = undefined;
    const startedMs = performance.now();
    try {
      const now = clients();
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const [name, contentFor] of Object.entries(MOSQUITTO_FILES)) writeIfChanged(folder, name, contentFor(now));
      news.written(now);
    } catch (error) {
      log.error({ err: error, folder }, "Mosquitto's files could not be written");
    }
    tookMs = performance.now() - startedMs;
  }

  function later(): void {
    if (!isClosed) timer ??= setTimeout(write, Math.max(GATHER_MS, tookMs / LARGEST_SHARE));
  }

  const { hub } = clients();
  const problem = hub && problemOfUsername(hub.username);
  if (problem) log.warn({ setting: "MQTT_USERNAME", problem }, "the hub itself is missing in Mosquitto's files");
  write(); // before the hub connects: the broker may be waiting for them
  directory.onChange(later);
  schedules.onChange(({ before, after }) => {
    if (before === undefined || after === undefined) later();
  });
  integrations.onChange(later);
  return {
    onReload: (handler) => news.onReload(handler),
    close: () => {
      isClosed = true;
      clearTimeout(timer);
      if (timer !== undefined) write();
      news.close();
    },
  };
}

/** The broker reads them again at each change, which costs it as much as its clients. */
export function writeIfChanged(folder: string, name: string, content: string): void {
  if (contentOf(join(folder, name)) !== content) replaceFile(folder, name, content);
}

/** The hub as a client of its broker, with a hash that is the same at each start. */
export async function hubAsClient(
  outer: { readonly username: string | null; readonly password: string | null } | null,
  dataDir: string,
): Promise<FileClient | null> {
  if (!outer || outer.username === null) return null;
  const { username, password } = outer;
  if (password === null) return { username, mosquittoHash: null };
  const salt = lastingSalt(keptSecret(dataDir, "mosquitto-salt"), `${username}:${password}`);
  return { username, mosquittoHash: await mosquittoHash(password, salt) };
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // not there, or nothing that can be read: it is written anew
  }
}
