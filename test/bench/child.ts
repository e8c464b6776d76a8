import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Cleanup } from "./cleanup.ts";

/** One of the benchmark's own processes: a broker, a crowd of agents, a generator of load. */
export interface Child<News extends { type: string }> {
  readonly pid: number;
  /** Resolves with the next news of this kind. Rejects when the process ends instead. */
  next<Type extends News["type"]>(type: Type): Promise<Extract<News, { type: Type }>>;
  send(message: object): void;
  kill(): Promise<void>;
}

/** Starts a file of this folder as a process of its own and hands it its task. */
export function startChild<News extends { type: string }>(file: string, task: object, cleanup: Cleanup): Child<News> {
  const child = fork(join(import.meta.dirname, file));
  cleanup.add(() => end(child));
  child.send(task);
  return {
    pid: child.pid ?? 0,
    next: async (type) => {
      const stop = new AbortController();
      const ended = once(child, "exit", { signal: stop.signal }).then(() => {
        throw new Error(`${file} ended before it said "${type}"`);
      });
      try {
        for (;;) {
          const [news] = (await Promise.race([once(child, "message", { signal: stop.signal }), ended])) as [News];
          if (news.type === type) return news as Extract<News, { type: typeof type }>;
        }
      } finally {
        ended.catch(() => {}); // nobody waits for it any more
        stop.abort();
      }
    },
    send: (message) => void child.send(message),
    kill: () => end(child),
  };
}

/** The task that this process was started with. */
export async function task(): Promise<unknown> {
  const [given] = (await once(process, "message")) as [unknown];
  return given;
}

// a benchmark that was killed leaves nobody behind
process.once("disconnect", () => process.exit(0));

/** Tells the benchmark something. */
export function tell(news: object): void {
  process.send?.(news);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}
