import { setTimeout as sleep } from "node:timers/promises";
import { HubNotReady } from "./agent-error.ts";
import type { Credential } from "./credential.ts";
import { joinHub, type JoinOptions } from "./join.ts";
import type { Log } from "./log.ts";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** How long to wait after so many attempts that no hub answered. */
export function joinPauseMs(attempts: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempts - 1));
}

/**
 * Joins as soon as there is a hub to join: an agent may start before its hub, as the containers of one machine do.
 *
 * @throws AgentError when the hub refuses, or is not the one that made the code.
 */
export async function joinWhenReady(options: JoinOptions, log: Log): Promise<Credential> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await joinHub(options);
    } catch (error) {
      if (!(error instanceof HubNotReady)) throw error;
      const pauseMs = joinPauseMs(attempts);
      log.warn({ reason: error.message, seconds: pauseMs / 1_000 }, "Could not join the hub yet; trying again");
      await sleep(pauseMs);
    }
  }
}
