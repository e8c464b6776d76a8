import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import type { Log } from "./log.ts";

/**
 * What a running agent answers on its own machine: `status`, and with it a container's health check, asks whether it is
 * connected, and `not-now` keeps the machine up.
 *
 * They ask over a socket in the state directory, which only the agent's user may enter. A file that is kept fresh would wear
 * out the SD cards that agents live on, and would still speak for an agent that was killed a moment ago.
 *
 * While the machine is about to go down there is one more, which everybody on the machine may use, and for `not-now` alone.
 */

const ANSWER_WITHIN_MS = 2_000;
/** A question is one line. */
const MAX_QUESTION = 200;

const ANSWERS = ["connected", "not connected", "stays up", "nothing to stop"] as const;
type Answer = (typeof ANSWERS)[number];

export interface DoorAnswers {
  readonly isConnected: () => boolean;
  /** False where the machine is not about to go down. */
  readonly notNow: (who: string) => boolean;
}

export interface StatusDoor {
  close(): void;
}

/** Answers whoever asks until it is closed. Where there can be no such socket, the log says so once: waking matters more. */
export async function openStatusDoor(stateDir: string, answers: DoorAnswers, log: Log): Promise<StatusDoor> {
  const answer = (question: string): Answer =>
    question.startsWith("not-now ")
      ? notNowAnswer(question, answers)
      : answers.isConnected()
        ? "connected"
        : "not connected";
  return openDoor({ path: socketPath(stateDir), answer, isForAll: false }).catch((error: unknown) => {
    log.warn({ reason: (error as Error).message }, 'This agent cannot answer "status"'); // a path over some 100 bytes, mostly
    return { close: () => {} };
  });
}

/** Lets everybody on this machine say not now, for as long as it is open. */
export async function openPublicDoor(
  answers: Pick<DoorAnswers, "notNow">,
  log: Log,
  path = publicPath(),
): Promise<StatusDoor> {
  const answer = (question: string) => notNowAnswer(question, answers);
  return openDoor({ path, answer, isForAll: true }).catch((error: unknown) => {
    log.info({ reason: (error as Error).message }, "Only this agent's own user can say not now on this machine");
    return { close: () => {} };
  });
}

/** Asks the agent that runs on this state directory. One that gives no answer counts as one that does not run. */
export async function askRunning(stateDir: string): Promise<Answer | "not running"> {
  return ask(socketPath(stateDir), "status");
}

/** Tells the agent that is about to take this machine down not to: the one of this state directory, else the machine's. */
export async function sayNotNow(stateDir: string, path = publicPath()): Promise<Answer | "not running"> {
  const question = `not-now ${userName()}`;
  const own = await ask(socketPath(stateDir), question);
  return own === "stays up" ? own : ask(path, question);
}

/** A user without an entry in the list of users has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `User ${process.getuid?.() ?? ""}`;
  }
}

function notNowAnswer(question: string, { notNow }: Pick<DoorAnswers, "notNow">): Answer {
  const who = question.slice("not-now ".length).replaceAll(/[^\p{L}\p{N} ._@\\-]/gu, "") || "Somebody";
  return question.startsWith("not-now ") && notNow(who) ? "stays up" : "nothing to stop";
}

interface DoorOptions {
  readonly path: string;
  readonly answer: (question: string) => Answer;
  readonly isForAll: boolean;
}

async function openDoor({ path, answer, isForAll }: DoorOptions): Promise<StatusDoor> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {}); // who asked is gone again
    void questionOf(socket).then((question) => socket.end(answer(question)));
  });
  if (process.platform !== "win32") {
    if (isForAll) await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await rm(path, { force: true }); // a killed agent leaves it behind
  }
  server.listen({ path, readableAll: isForAll, writableAll: isForAll });
  await once(server, "listening");
  return { close: () => void server.close() };
}

/** What was asked, up to the end of its line; empty where nothing comes in time. Never rejects. */
function questionOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const done = () => resolve(heard.split("\n", 1)[0]?.slice(0, MAX_QUESTION) ?? "");
    socket.setEncoding("utf8").setTimeout(ANSWER_WITHIN_MS, done);
    socket.on("data", (piece: string) => {
      heard += piece;
      if (heard.includes("\n") || heard.length > MAX_QUESTION) done();
    });
    socket.on("end", done).on("close", done);
  });
}

async function ask(path: string, question: string): Promise<Answer | "not running"> {
  const socket = connect(path);
  const timeout = setTimeout(() => socket.destroy(new Error("no answer")), ANSWER_WITHIN_MS);
  try {
    socket.end(`${question}\n`);
    const answer = await text(socket);
    return ANSWERS.find((known) => known === answer) ?? "not running";
  } catch {
    return "not running"; // no socket, nobody behind it, no answer in time: it comes to the same
  } finally {
    clearTimeout(timeout);
  }
}

/** Windows has named pipes in a place of their own instead of sockets among the files. */
function socketPath(stateDir: string): string {
  if (process.platform !== "win32") return join(stateDir, "agent.sock");
  const name = createHash("sha256").update(resolve(stateDir).toLowerCase()).digest("hex").slice(0, 16);
  return `\\\\.\\pipe\\powerbeacon-agent-${name}`;
}

/** Where only the system's own services may put something, so that nobody else can answer in the agent's place. */
function publicPath(): string {
  if (process.platform === "win32") return "\\\\.\\pipe\\powerbeacon-agent";
  return join(process.platform === "darwin" ? "/var/run" : "/run", "powerbeacon-agent", "not-now.sock");
}
