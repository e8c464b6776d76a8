import { readFileSync } from "node:fs";

const CHECK_MS = 1_000;

/**
 * Calls the function when npm, which started us, was killed. Linux only.
 *
 * `npm run demo` is two commands, so a shell stands between npm and us, and it outlives an npm that is killed.
 */
export function onNpmGone(end: () => void): void {
  if (process.env["npm_lifecycle_event"] === undefined || process.platform !== "linux") return;
  const npm = parentOf(process.ppid);
  const check = setInterval(() => {
    if (parentOf(process.ppid) === npm) return;
    clearInterval(check);
    end();
  }, CHECK_MS).unref();
}

/** The fourth field of `/proc/<pid>/stat`; undefined when the process is gone. The second may hold anything, in parentheses. */
function parentOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
  } catch {
    return undefined; // gone; that too is an answer
  }
}
