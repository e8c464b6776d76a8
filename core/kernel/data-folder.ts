import { randomBytes } from "node:crypto";
import {
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  closeSync,
  fchownSync,
  fsyncSync,
  accessSync,
  statSync,
  constants,
} from "node:fs";
import { join } from "node:path";
import { StartError } from "./start-error.ts";

/** Makes the data folder, or says why that does not work. Its secrets are for the hub's own user alone. */
export function openDataFolder(path: string): void {
  const probe = join(path, ".writable");
  try {
    mkdirSync(path, { recursive: true, mode: 0o711 }); // the user of the embedded Postgres passes through
    mkdirSync(join(path, "secrets"), { recursive: true, mode: 0o700 });
    accessSync(path, constants.W_OK);
    writeFileSync(probe, "", { mode: 0o600 });
    rmSync(probe);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw new StartError(
      `The data folder ${path} cannot be written (${code}). Give the hub a folder of its own with DATA_DIR.`,
      { cause: error },
    );
  }
}

/**
 * A secret that is made at the first start and kept with mode 0600.
 *
 * Written to the side and renamed, so that a power cut leaves either the former, or none, or the whole of it.
 */
export function keptSecret(dataDir: string, name: string, generate: () => string = randomSecret): string {
  const kept = readIfPresent(join(dataDir, "secrets", name));
  if (kept) return kept;
  const secret = generate();
  replaceSecret(dataDir, name, secret);
  return secret;
}

/** Keeps another secret from now on. */
export function replaceSecret(dataDir: string, name: string, secret: string): void {
  replaceFile(join(dataDir, "secrets"), name, secret);
}

/** Writes a file as a whole or not at all, for the folder's own user alone, whoever puts it there. */
export function replaceFile(folder: string, name: string, content: string): void {
  const path = join(folder, name);
  const aside = `${path}.${process.pid}.new`;
  const file = openSync(aside, "w", 0o600);
  const { uid, gid } = statSync(folder);
  if (process.getuid?.() === 0) fchownSync(file, uid, gid);
  writeFileSync(file, content);
  fsyncSync(file);
  closeSync(file);
  renameSync(aside, path);
}

function randomSecret(): string {
  return randomBytes(32).toString("base64url");
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new StartError(`The secret ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, {
      cause: error,
    });
  }
}
