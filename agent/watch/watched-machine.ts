import type { Sighting } from "#contracts/agent.ts";
import type { WatchedDevice } from "#contracts/order.ts";
import type { Background } from "../background.ts";
import { type Look, type LookTools, lookAt } from "./look.ts";
import type { NeighbourChange } from "./followed-neighbours.ts";
import { meaningOf } from "./neighbour-news.rules.ts";
import { type Finding, nextLookInMs, nextVerdict, UNKNOWN, type Verdict } from "./verdict.rules.ts";

/** A device that stays up is told again this often, so that the hub knows that somebody still sees it. */
const REFRESH_MS = 60_000;
/** A machine that has not come up by then will not. */
const AWAITED_FOR_MS = 180_000;

export interface WatchedMachineOptions {
  readonly device: WatchedDevice;
  readonly tools: LookTools;
  readonly now: () => Date;
  readonly onSighting: (sighting: Sighting) => void;
  readonly inBackground: Background;
}

/** One device under watch: looks at it from time to time, one look after the other, and tells what changed. */
export class WatchedMachine {
  readonly #options: WatchedMachineOptions;
  #verdict: Verdict = UNKNOWN;
  #last: Sighting | undefined;
  #toldMs = 0;
  #awaitedUntilMs = 0;
  #looks = 0;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WatchedMachineOptions) {
    this.#options = options;
  }

  get device(): WatchedDevice {
    return this.#options.device;
  }

  /** What is known of it; undefined before there is a verdict. */
  get sighting(): Sighting | undefined {
    return this.#last;
  }

  start(inMs: number): void {
    this.#lookIn(inMs);
  }

  /** It was sent a wake: look at once and then every second, until it is seen. A look that goes on is not waited for. */
  awaitWake(nowMs: number): void {
    this.#awaitedUntilMs = nowMs + AWAITED_FOR_MS;
    this.#lookIn(0);
  }

  /** The system's neighbour table has news of its MAC address, or of the address where it should be. */
  neighbourChanged(change: NeighbourChange): void {
    const { device, tools } = this.#options;
    const isAwaited = performance.now() < this.#awaitedUntilMs;
    const isUp = this.#verdict.state === "up";
    switch (meaningOf(change, { mac: device.mac, arp: device.arp, isUp, isAwaited })) {
      case "here": {
        const finding = { how: "arp", address: change.address, mac: device.mac } as const;
        this.#conclude({ type: "seen", finding, takenBy: null }, performance.now());
        if (this.#looks === 0) this.#lookAgain(performance.now());
        return;
      }
      case "in-doubt":
        return tools.lan?.nudger.nudge(change.address);
      case "look":
        return this.#looks === 0 ? this.#lookIn(0) : undefined;
      case "nothing":
        return;
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #lookIn(inMs: number): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#options.inBackground(`a look at ${this.device.device}`, () => this.#look()),
      inMs,
    );
  }

  async #look(): Promise<void> {
    const { device, tools } = this.#options;
    const startedMs = performance.now();
    this.#looks += 1;
    try {
      const look = await lookAt(device, tools, { urgent: startedMs < this.#awaitedUntilMs });
      if (!this.#isClosed) this.#conclude(look, performance.now());
    } finally {
      this.#looks -= 1;
      if (this.#looks === 0) this.#lookAgain(startedMs);
    }
  }

  #lookAgain(startedMs: number): void {
    const { device } = this.#options;
    const isAwaited = performance.now() < this.#awaitedUntilMs;
    const nextMs = nextLookInMs(this.#verdict, device.intervalSeconds * 1000, isAwaited, Math.random());
    this.#lookIn(isAwaited ? Math.max(0, nextMs - (performance.now() - startedMs)) : nextMs);
  }

  #conclude(look: Look, nowMs: number): void {
    const before = this.#verdict;
    this.#verdict = nextVerdict(before, look.type);
    if (look.type === "seen") return this.#seen(look, before, nowMs);
    const isDown = this.#verdict.state === "down";
    const isNews = before.state !== "down" || this.#last?.takenBy !== look.takenBy;
    if (isDown && isNews) this.#tell(this.#sightingOf(null, look.takenBy), nowMs);
  }

  #seen({ finding, takenBy }: Look & { type: "seen" }, before: Verdict, nowMs: number): void {
    const wasAwaited = nowMs < this.#awaitedUntilMs;
    this.#awaitedUntilMs = 0;
    const isNews = before.state !== "up" || wasAwaited || this.#last?.takenBy !== takenBy;
    const sighting = this.#sightingOf(finding, takenBy);
    if (isNews || nowMs - this.#toldMs >= REFRESH_MS) this.#tell(sighting, nowMs);
    else this.#last = sighting;
  }

  #tell(sighting: Sighting, nowMs: number): void {
    this.#last = sighting;
    this.#toldMs = nowMs;
    this.#options.onSighting(sighting);
  }

  #sightingOf(finding: Finding | null, takenBy: string | null): Sighting {
    return {
      device: this.device.device,
      up: finding !== null,
      how: finding?.how ?? null,
      at: this.#options.now().toISOString(),
      address: finding?.address ?? null,
      mac: finding?.mac ?? null,
      takenBy,
    };
  }
}
