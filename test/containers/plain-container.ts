import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { PlainCommand, PlainImage } from "./plain-image.ts";

/** What an image starts, running on this machine. */
export interface PlainContainer {
  readonly child: ChildProcess;
  readonly output: { text: string };
  /** The exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** The exit code of its health check, run now. */
  health(): Promise<number | null>;
  /** As `docker stop` does it. @returns the exit code. */
  stop(): Promise<number | null>;
}

export function startContainer(image: PlainImage, env: Readonly<Record<string, string>>): PlainContainer {
  const child = start(image.command, env);
  const output = { text: "" };
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      output.text += chunk.toString();
    });
  const ended = endOf(child);
  return {
    child,
    output,
    ended,
    health: () => endOf(start(image.healthCheck, env)),
    stop: async () => {
      child.kill("SIGTERM");
      return await ended;
    },
  };
}

function start({ words: [program = "", ...args], cwd, env, identity }: PlainCommand, more: Record<string, string>) {
  return spawn(program, args, { cwd, env: { ...env, ...more }, stdio: ["ignore", "pipe", "pipe"], ...identity });
}

async function endOf(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, "close")) as [number | null];
  return code;
}
