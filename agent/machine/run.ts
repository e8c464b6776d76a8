import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Some tools answer in the language of the machine unless they are asked not to. */
const ENVIRONMENT = { LC_ALL: "C" };

/** What a tool prints; undefined where it is not installed, fails, or takes too long. */
export async function outputOf(
  command: string,
  args: readonly string[],
  timeoutMs = 3_000,
): Promise<string | undefined> {
  const options = {
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    windowsHide: true,
    maxBuffer: 1024 * 1024,
    env: { ...process.env, ...ENVIRONMENT },
  } as const;
  return await execute(command, args, options).then(
    ({ stdout }) => stdout,
    () => undefined,
  );
}
