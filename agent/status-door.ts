import { createHash } from "node:crypto";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import type { Log } from "./log.ts";

/**
 * What a running agent tells on its own machine: `status`, and with it a container's health check, asks whether it is connected.
 *
 * They ask over a socket in the state directory, which only the agent's user may enter. A file that is kept fresh would wear
 * out the SD cards that agents live on, and would still speak for an agent that was killed a moment ago.
 */

const ANSWER_WITHIN_MS = 2_000;

const ANSWERS = ["connected", "not connected"] as const;
type Answer = (typeof ANSWERS)[number];

export interface StatusDoor {
  close(): void;
}

/** Answers whoever asks until it is closed. Where there can be no such socket, the log says so once: waking matters more. */
export async function openStatusDoor(stateDir: string, isConnected: () => boolean, log: Log): Promise<StatusDoor> {
  const path = socketPath(stateDir);
  const server = createServer((socket) => {
    socket.on("error", () => {}); // who asked is gone again
    socket.end((isConnected() ? "connected" : "not connected") satisfies Answer);
  });
  try {
    if (process.platform !== "win32") await rm(path, { force: true }); // a killed agent leaves it behind
    server.listen(path);
    await once(server, "listening");
  } catch (error) {
    log.warn({ reason: (error as Error).message }, 'This agent cannot answer "status"'); // a path over some 100 bytes, mostly
  }
  return { close: () => void server.close() };
}

/** Asks the agent that runs on this state directory. One that gives no answer counts as one that does not run. */
export async function askRunning(stateDir: string): Promise<Answer | "not running"> {
  const socket = connect(socketPath(stateDir));
  const timeout = setTimeout(() => socket.destroy(new Error("no answer")), ANSWER_WITHIN_MS);
  try {
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
