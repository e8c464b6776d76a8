import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, rmSync } from "node:fs";
import { type Server, type Socket, connect, createServer } from "node:net";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import type { Logger } from "pino";
import { parseJson } from "./parse.ts";

/**
 * A door of the running hub for the commands of its operator: a socket in the data folder that only the hub's own user may
 * enter. A question and its answer are one line of JSON each; what is known in memory alone can be asked for in this way.
 */

const LONGEST_QUESTION = 4_096;
const QUESTION_WITHIN_MS = 5_000;
const ANSWER_WITHIN_MS = 10_000;
/** Commands come one at a time; more than these are no commands. */
const MAX_CONNECTIONS = 16;

/** Answers a question with what can be put as JSON; undefined where it is none that this hub knows. */
export type OperatorAnswers = (question: unknown) => unknown;

export interface OperatorDoor {
  close(): Promise<void>;
}

/** Answers until it is closed. Where there can be no such socket, the log says so once: waking matters more. */
export async function openOperatorDoor(dataDir: string, answers: OperatorAnswers, log: Logger): Promise<OperatorDoor> {
  const path = socketPath(dataDir);
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {}); // who asked is gone again
    answer(socket, answers, log);
  });
  server.maxConnections = MAX_CONNECTIONS;
  try {
    await listen(server, path);
  } catch (error) {
    // a path over some 100 bytes, mostly, or another hub on the same data folder
    log.warn({ reason: (error as Error).message }, 'this hub cannot answer "powerbeacon doctor"');
  }
  return {
    close: async () => {
      for (const socket of sockets) socket.destroy();
      if (server.listening) await new Promise((done) => server.close(done));
    },
  };
}

/** @throws Error of node:net */
async function listen(server: Server, path: string): Promise<void> {
  const isFile = process.platform !== "win32";
  if (isFile && !(await isAnswered(path))) rmSync(path, { force: true }); // a killed hub leaves it behind
  server.listen(path);
  await once(server, "listening");
  if (isFile) chmodSync(path, 0o600);
}

async function isAnswered(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function answer(socket: Socket, answers: OperatorAnswers, log: Logger): void {
  let question = Buffer.alloc(0);
  socket.setTimeout(QUESTION_WITHIN_MS, () => socket.destroy());
  const take = (chunk: Buffer) => {
    question = Buffer.concat([question, chunk]);
    const end = question.indexOf("\n");
    if (end === -1 && question.length <= LONGEST_QUESTION) return;
    socket.off("data", take);
    socket.resume(); // whatever else comes is let go
    socket.end(JSON.stringify(said(question.subarray(0, Math.max(end, 0)))));
  };
  const said = (line: Buffer): unknown => {
    try {
      return answers(parseJson(line)) ?? null;
    } catch (error) {
      log.error({ err: error }, "a question of the operator failed");
      return null;
    }
  };
  socket.on("data", take);
  socket.on("end", () => socket.end());
}

/** Asks the hub that runs on this data folder; null where that hub knows no such question. @throws Error of node:net where none runs. */
export async function askRunningHub(dataDir: string, question: unknown): Promise<unknown> {
  const socket = connect(socketPath(dataDir));
  const timeout = setTimeout(() => socket.destroy(new Error("no answer")), ANSWER_WITHIN_MS);
  try {
    socket.write(`${JSON.stringify(question)}\n`);
    return parseJson(Buffer.from(await text(socket)));
  } finally {
    clearTimeout(timeout);
    socket.destroy();
  }
}

/** Windows has named pipes in a place of their own instead of sockets among the files. */
function socketPath(dataDir: string): string {
  if (process.platform !== "win32") return join(dataDir, "hub.sock");
  const name = createHash("sha256").update(resolve(dataDir).toLowerCase()).digest("hex").slice(0, 16);
  return `\\\\.\\pipe\\powerbeacon-hub-${name}`;
}
