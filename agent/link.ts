import { setTimeout as sleep } from "node:timers/promises";
import type { TopicOptions } from "#contracts/topics.ts";
import { HubConnection, type Message } from "./connection.ts";
import type { Credential } from "./credential.ts";
import type { Log } from "./log.ts";
import {
  type ConnectionEnd,
  type ProtocolVersion,
  failuresAfter,
  isRefusal,
  isTooNew,
  pauseMs,
  versionAfter,
} from "./reconnect.rules.ts";

/** A broker that takes longer to acknowledge what a connection begins with is not working. */
const GREET_WITHIN_MS = 15_000;
/** People wait for this machine to shut down. */
const FAREWELL_WITHIN_MS = 1_000;

export interface LinkOptions {
  readonly credential: Credential;
  readonly log: Log;
  /** Runs on every new connection. When it rejects, the connection is given up and tried again. */
  readonly onConnect: (connection: HubConnection) => Promise<void>;
  /** Runs at the end of every connection, those that did not come about included. */
  readonly onEnd: () => void;
  readonly onMessage: (message: Message) => void;
}

/** Keeps the agent connected to its hub: through restarts of the broker, changes of network and suspends. */
export class HubLink {
  readonly #options: LinkOptions;
  #connection: HubConnection | undefined;
  #isGreeted = false;
  #pause = new AbortController();
  #closing = false;
  #running: Promise<void> | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** True from the moment when the broker has taken all that a connection begins with. */
  get isConnected(): boolean {
    return this.#isGreeted && (this.#connection?.isOpen ?? false);
  }

  start(): void {
    this.#running = this.#keepConnected();
  }

  /**
   * Publishes where there is a connection; what could not be sent is dropped, since each connection begins with fresh state.
   *
   * A message that is lost with its connection needs no line of its own: the end of the connection has one.
   */
  async publish(topic: string, payload: string, options: TopicOptions): Promise<void> {
    await this.tryPublish(topic, payload, options);
  }

  /** Publishes, and tells whether the broker has taken it. */
  async tryPublish(topic: string, payload: string, options: TopicOptions): Promise<boolean> {
    const connection = this.#connection;
    if (!connection?.isOpen) return false;
    try {
      await connection.publish(topic, payload, options);
      return true;
    } catch (error) {
      const level = connection.isOpen ? "warn" : "debug";
      this.#options.log[level]({ topic, reason: (error as Error).message }, "A message was not sent");
      return false;
    }
  }

  /** Connects anew at once: the old connection is probably dead. */
  reconnect(reason: string): void {
    this.#connection?.drop(reason);
    this.#pause.abort();
  }

  /** Ends for good. The farewell is sent while there still is a connection. */
  async close(farewell: (connection: HubConnection) => Promise<void>): Promise<void> {
    this.#closing = true;
    this.#pause.abort();
    const connection = this.#connection;
    if (connection) {
      await within(FAREWELL_WITHIN_MS, farewell(connection)).catch(() => {}); // cut off: then the Will says it
      await connection.close();
    }
    await this.#running;
  }

  async #keepConnected(): Promise<void> {
    const joinedAt = new Date(this.#options.credential.joinedAt);
    let failures = 0;
    let version: ProtocolVersion = 5;
    while (!this.#closing) {
      this.#pause = new AbortController();
      const end = await this.#connectOnce(version).catch(failedAttempt);
      if (this.#closing) return;
      failures = failuresAfter(failures, end);
      version = versionAfter(version, end);
      const refused = isRefusal(end) && !isTooNew(end, joinedAt, new Date());
      const pause = pauseMs(failures, refused, Math.random());
      this.#report(end, pause);
      await sleep(pause, undefined, { signal: this.#pause.signal }).catch(() => {}); // asked to go on at once
    }
  }

  async #connectOnce(version: ProtocolVersion): Promise<ConnectionEnd> {
    const { credential, onConnect, onMessage, onEnd } = this.#options;
    const connection = new HubConnection(credential, version, onMessage);
    this.#connection = connection;
    try {
      if (await connection.opened) {
        await within(GREET_WITHIN_MS, onConnect(connection));
        this.#isGreeted = true;
      }
    } catch (error) {
      connection.drop((error as Error).message);
    }
    const end = await connection.ended;
    this.#connection = undefined;
    this.#isGreeted = false;
    onEnd();
    return end;
  }

  #report(end: ConnectionEnd, pause: number): void {
    const details = { hub: this.#options.credential.mqttUrl, reason: end.reason, code: end.code };
    const seconds = Math.round(pause / 100) / 10;
    if (isRefusal(end))
      this.#options.log.error({ ...details, seconds }, "The hub refuses this agent; it may have been removed");
    else this.#options.log.warn({ ...details, seconds }, "Not connected to the hub; trying again");
  }
}

/** Whatever went wrong here, this agent tries again: nobody else will. */
function failedAttempt(error: unknown): ConnectionEnd {
  return { code: undefined, reason: error instanceof Error ? error.message : String(error), livedMs: 0 };
}

async function within<Result>(timeoutMs: number, work: Promise<Result>): Promise<Result> {
  const stop = new AbortController();
  const timeout = sleep(timeoutMs, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`the broker did not acknowledge within ${timeoutMs / 1000} s`);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    stop.abort();
    timeout.catch(() => {}); // nobody waits for it any more
  }
}
