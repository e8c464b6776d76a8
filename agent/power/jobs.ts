import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * What holds this machine up by a file in `<STATE_DIR>/inhibit.d`, a sentence each: its first line, else its name.
 *
 * Any script can put one there for as long as it works. One whose name ends in a process id, as `backup.$$` has it, counts only
 * while that process runs, so that a script that was killed does not hold the machine up for ever.
 */
export async function jobsIn(stateDir: string): Promise<string[]> {
  const folder = join(stateDir, "inhibit.d");
  const names = await readdir(folder).catch(() => []); // nobody has made it: nothing is held up
  const held = names.filter((name) => !name.startsWith(".") && isRunning(name)).toSorted();
  return Promise.all(held.map(async (name) => (await firstLine(join(folder, name))) || name));
}

async function firstLine(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch(() => ""); // gone or not ours to read: its name has to do
  return (text.split("\n", 1)[0] ?? "").trim().slice(0, 200);
}

function isRunning(name: string): boolean {
  const pid = Number(/\.(\d+)$/.exec(name)?.[1] ?? 0);
  if (pid === 0) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH"; // somebody else's process runs, too
  }
}
