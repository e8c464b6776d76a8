import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** The hub waits 10 s for a first word about a power order, and several commands come before it. */
const ENDS_WITHIN_MS = 4_000;

export interface RunOptions {
  readonly withinMs?: number;
}

/** A command that sends a machine to sleep ends when the machine wakes up. */
export const HOWEVER_LONG: RunOptions = { withinMs: Infinity };

/** Runs a program of this machine without a shell and returns what it printed. Rejects with its own words when it fails. */
export type Run = (file: string, args: readonly string[], options?: RunOptions) => Promise<string>;

/** In English wherever a program knows it: its answers are read by this agent, and its errors by whoever asked. */
export const runHere: Run = async (file, args, { withinMs = ENDS_WITHIN_MS } = {}) => {
  const options = {
    timeout: withinMs === Infinity ? 0 : withinMs,
    windowsHide: true,
    maxBuffer: 1024 * 1024,
    env: { ...process.env, LC_ALL: "C" },
  } as const;
  try {
    const { stdout } = await execute(file, [...args], options);
    return stdout;
  } catch (cause) {
    const { stderr, message, killed } = cause as Error & { stderr?: string; killed?: boolean };
    const words = stderr?.trim() || message;
    throw new Error(killed ? `${file} did not end within ${withinMs / 1000} s` : words, { cause });
  }
};

/** What a program printed; undefined where it is not there, may not, or failed. */
export function tryRun(
  run: Run,
  file: string,
  args: readonly string[],
  options?: RunOptions,
): Promise<string | undefined> {
  return run(file, args, options).catch(() => undefined);
}
