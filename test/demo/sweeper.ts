import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { removeFolder } from "./folder.ts";

/**
 * Sweeps up after a demo that was killed: its Postgres is a process of its own and would run on for ever.
 *
 * The sweeper waits for the end of its standard input, which the system closes however the demo ends. It is no part of
 * the demo's process group, so that neither Ctrl-C nor a closed terminal ends it.
 */
export function startSweeper(folder: string): void {
  const sweeper = spawn(process.execPath, [fileURLToPath(import.meta.url), folder], {
    stdio: ["pipe", "ignore", "inherit"],
    detached: true,
    windowsHide: true,
  });
  sweeper.unref();
}

if (import.meta.main) {
  process.stdin.resume();
  await once(process.stdin, "end");
  await removeFolder(process.argv[2] ?? "");
}
