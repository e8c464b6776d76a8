import { execFile } from "node:child_process";
import { isIPv6 } from "node:net";

const ANSWER_WITHIN_SECONDS = 1;
/** A `ping` that hangs all the same is ended after this long. */
const GIVE_UP_MS = 3_000;

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** One echo request by the system's `ping`, which has the right to send it where Node has not. The options differ by system. */
export function pingCommand(address: string, platform: NodeJS.Platform): Command {
  const seconds = String(ANSWER_WITHIN_SECONDS);
  const milliseconds = String(ANSWER_WITHIN_SECONDS * 1000);
  if (platform === "win32") return { file: "ping", args: ["-n", "1", "-w", milliseconds, address] };
  if (platform !== "darwin") return { file: "ping", args: ["-c", "1", "-W", seconds, "-q", address] }; // iputils, BusyBox
  if (isIPv6(address)) return { file: "ping6", args: ["-c", "1", "-q", address] }; // has no time limit of its own
  return { file: "ping", args: ["-c", "1", "-t", seconds, "-q", address] };
}

/**
 * Whether the output of `ping` means that the address itself answered.
 *
 * On Windows the exit code is 0 as well when a router answers "Destination host unreachable"; only an answer has a time,
 * in any language: `time<1ms`, `Zeit=3ms`.
 */
export function pingAnswered(platform: NodeJS.Platform, exitCode: number, output: string): boolean {
  return exitCode === 0 && (platform !== "win32" || /[=<]\s?\d+\s?ms/.test(output.split(/\r?\n\r?\n/)[0] ?? ""));
}

/** Whether an IP address answers an echo request within a second. Never rejects; `false` when it is aborted. */
export async function ping(address: string, signal?: AbortSignal, platform = process.platform): Promise<boolean> {
  const command = pingCommand(address, platform);
  return new Promise((resolve) => {
    execFile(
      command.file,
      [...command.args],
      { timeout: GIVE_UP_MS, windowsHide: true, ...(signal && { signal }) },
      (error, output) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        resolve(pingAnswered(platform, code, output));
      },
    );
  });
}

let ableToPing: Promise<boolean> | undefined;

/** Whether `ping` is installed and may send, asked once: containers and bare systems often lack it. */
export function canPing(): Promise<boolean> {
  ableToPing ??= ping("127.0.0.1");
  return ableToPing;
}
