import { chmodSync, existsSync, mkdtempSync, rmSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { keptSecret } from "#core/kernel/data-folder.ts";
import { startEmbeddedPostgres } from "#core/kernel/embedded-postgres.ts";
import { findInstallation } from "#core/kernel/postgres-installation.ts";

/** Where a demo keeps everything for as long as it runs. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "powerbeacon-demo-"));
  chmodSync(folder, 0o711); // Postgres runs as another user where we are root, and passes through
  return folder;
}

/** The hub's own part of it. */
export function dataDirOf(folder: string): string {
  return join(folder, "data");
}

/** Only finds the server: the hub has launched it. */
export async function runningPostgres(folder: string): ReturnType<typeof startEmbeddedPostgres> {
  const dataDir = dataDirOf(folder);
  return startEmbeddedPostgres({ dataDir, password: keptSecret(dataDir, "postgres-password") });
}

/**
 * Ends a Postgres that still runs there, and removes all that a demo wrote.
 *
 * What stays where we are root: the system user that Postgres runs as, and its programs in `/var/lib/powerbeacon` if it
 * cannot reach those of npm. They belong to every hub on this machine, and one of them may be using them now.
 */
export async function removeFolder(folder: string): Promise<void> {
  const dataDir = dataDirOf(folder);
  if (existsSync(dataDir)) {
    const { data } = await findInstallation(dataDir);
    if (existsSync(join(data, "postmaster.pid"))) await (await runningPostgres(folder)).close();
    if (!data.startsWith(folder)) removeHome(dirname(data));
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Postgres' user could not reach our folder, so its data went elsewhere. */
function removeHome(home: string): void {
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  try {
    rmdirSync(dirname(home));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error; // others live there too
  }
}
