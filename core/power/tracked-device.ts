import { Key } from "#contracts/key.ts";
import type { Evidence, PowerState } from "#contracts/power.ts";
import { afterReturn, type Bounces, holdMs, NO_BOUNCES } from "./bounce.rules.ts";
import {
  type Because,
  mayComeBack,
  type OwnAgent,
  type Plug,
  type PowerInput,
  powerOf,
  type PowerVerdict,
  type Verdict,
  verdictsThatCount,
} from "./power.rules.ts";

/** The power state of one device as the hub holds it. After a start it is unknown until seen. */
export interface DevicePower {
  readonly power: PowerState;
  readonly since: Date | null;
  readonly because: Because;
  readonly reachable: boolean | null;
  readonly evidence: Evidence | null;
}

/** Another machine answers where this device should be. */
export interface Taken {
  readonly mac: string;
  /** The agent that saw it. */
  readonly by: string;
  readonly at: Date;
}

export const UNKNOWN: DevicePower = {
  power: "unknown",
  since: null,
  because: "hub-start",
  reachable: null,
  evidence: null,
};

const HUB = Key.parse("hub");

/** The time of day, and a clock that only runs on. */
export interface Clock {
  readonly now: Date;
  readonly nowMs: number;
}

/** Who looks now: agents that watch and are connected, or were until a moment ago, and its own. */
export interface Onlookers {
  readonly watchers: readonly string[];
  readonly own: OwnAgent | null;
}

/** All that bears on one device's power state. */
export class TrackedDevice {
  current: DevicePower = UNKNOWN;
  readonly #verdicts = new Map<string, Verdict>();
  #taken: (Taken & { readonly agentId: string }) | null = null;
  #plug: Plug | null = null;
  #settled: PowerInput["settled"] = "unknown";
  #waking = false;
  #stopping = false;
  #lastCommand: "waking" | "stopping" = "waking";
  #goingDown: PowerInput["goingDown"] = null;
  #goneByMs = 0;
  #bounces: Bounces = NO_BOUNCES;
  #missedMs = -Infinity;
  #isKnown = false;

  /** The later of two commands counts while both go on. */
  setCommand(command: "waking" | "stopping", isOn: boolean): void {
    if (command === "waking") this.#waking = isOn;
    else this.#stopping = isOn;
    if (isOn) this.#lastCommand = command;
  }

  /** Its own agent said that it goes down; what is seen of it until it is gone is no sign that it stays. */
  goesDown(nowMs: number, graceMs: number): void {
    this.#goingDown = "told";
    this.#goneByMs = nowMs + graceMs;
  }

  staysUp(): void {
    this.#goingDown = null;
  }

  /** Whether what is seen of it counts as an answer to a wake. */
  get hasToGoFirst(): boolean {
    return this.#goingDown === "told";
  }

  /** It said that it goes down, and so it did. */
  get wentDown(): boolean {
    return this.#goingDown === "went";
  }

  /** @param isByMac whether the MAC address was compared. */
  says(agentId: string, evidence: Evidence | null, isByMac: boolean, nowMs: number): void {
    const before = this.#verdicts.get(agentId);
    const up = evidence !== null;
    const sinceMs = before?.up === up ? before.sinceMs : nowMs;
    this.#verdicts.set(agentId, { up, evidence, sinceMs, atMs: nowMs, isByMac });
  }

  /** Whether a sighting may be of another machine at the same address. */
  isDoubtful(isByMac: boolean): boolean {
    return this.#taken !== null && !isByMac;
  }

  /** Null: this agent sees no other machine there (any more). */
  takenSays(agent: { readonly id: string; readonly key: string }, mac: string | null, now: Date): void {
    if (mac !== null) this.#taken = { agentId: agent.id, mac, by: agent.key, at: now };
    else if (this.#taken?.agentId === agent.id) this.#taken = null;
  }

  get takenBy(): Taken | null {
    return this.#taken && { mac: this.#taken.mac, by: this.#taken.by, at: this.#taken.at };
  }

  forgetWordOf(agentId: string): void {
    if (this.#taken?.agentId === agentId) this.#taken = null;
    this.#verdicts.delete(agentId);
  }

  forgetWordsOfOthersThan(agentIds: readonly string[]): void {
    for (const id of this.#verdicts.keys()) if (!agentIds.includes(id)) this.forgetWordOf(id);
  }

  /** It is another machine now, or at another place. */
  forgetWords(): void {
    this.#verdicts.clear();
    this.#taken = null;
    if (this.#goingDown === "went") this.#goingDown = null;
  }

  plugSays(on: boolean | null, at: Date, nowMs: number): void {
    if (on === null) return void (this.#plug = null);
    const evidence: Evidence = { by: HUB, how: "plug", at: at.toISOString() };
    this.#plug = { on, evidence, sinceMs: this.#plug?.on === on ? this.#plug.sinceMs : nowMs };
  }

  /** Works its state out anew. `before` only when something about it changed; `againInMs`: when time alone may change it. */
  evaluate(
    { watchers, own }: Onlookers,
    { now, nowMs }: Clock,
  ): { readonly againInMs: number | null; readonly before?: DevicePower } {
    if (this.#goingDown === "told" && nowMs >= this.#goneByMs) this.#goingDown = null; // it stayed after all
    const verdicts = verdictsThatCount(this.#verdictsOf(watchers), this.#taken !== null);
    this.#isKnown ||= verdicts.length > 0 || own !== null || this.#plug !== null;
    const known = { verdicts, watched: watchers.length > 0, own, plug: this.#plug, nowMs };
    let verdict = this.#verdictFrom(known);
    if (verdict.power === "off" && this.#stopping) {
      this.#stopping = false;
      if (this.#waking) verdict = this.#verdictFrom(known); // somebody wants it on again
    }
    const againInMs = soonest(verdict.againInMs, this.#goingDown === "told" ? this.#goneByMs - nowMs : null);
    const before = this.current;
    this.#settle(verdict, nowMs);
    const after = nextPower(before, verdict, now);
    const isSame = after.power === before.power && after.reachable === before.reachable;
    if (isSame && !isFresher(after.evidence, before.evidence)) return { againInMs };
    this.current = after;
    return { againInMs, before };
  }

  #verdictFrom(known: Pick<PowerInput, "verdicts" | "watched" | "own" | "plug" | "nowMs">): PowerVerdict {
    return powerOf({
      ...known,
      settled: this.#settled,
      known: this.#isKnown,
      command: this.#command,
      goingDown: this.#goingDown,
      holdMs: holdMs(this.#bounces, known.nowMs),
    });
  }

  /** Written out: a large hub does this thousands of times a second. */
  #verdictsOf(agentIds: readonly string[]): Verdict[] {
    const verdicts: Verdict[] = [];
    for (const id of agentIds) {
      const verdict = this.#verdicts.get(id);
      if (verdict) verdicts.push(verdict);
    }
    return verdicts;
  }

  get #command(): PowerInput["command"] {
    if (this.#waking && this.#stopping) return this.#lastCommand;
    return this.#waking ? "waking" : this.#stopping ? "stopping" : null;
  }

  #settle({ power, because, isGone }: PowerVerdict, nowMs: number): void {
    if (this.#goingDown === "told" && isGone) this.#goingDown = "went";
    if (power === "on" && this.#goingDown === "went") this.#goingDown = null;
    if (power === "waking" || power === "stopping") return;
    if (power === "off" && this.#settled === "on" && mayComeBack(because)) this.#missedMs = nowMs;
    if (power === "on" && this.#settled === "off" && !this.#waking)
      this.#bounces = afterReturn(this.#bounces, nowMs - this.#missedMs, nowMs);
    this.#settled = power;
  }
}

function nextPower(before: DevicePower, { power, because, reachable, evidence }: PowerVerdict, now: Date): DevicePower {
  const isSame = power === before.power;
  return {
    power,
    since: isSame ? before.since : now,
    because: isSame ? before.because : because,
    reachable,
    evidence: evidence ?? before.evidence, // when it was last seen, and how, is worth knowing afterwards too
  };
}

/** Several agents see a device again each minute; that it is still up is told of once in that time. Milliseconds. */
const FRESHER_BY_MS = 55_000;

function isFresher(after: Evidence | null, before: Evidence | null): boolean {
  if (after === before || after === null) return false;
  return before === null || Math.abs(Date.parse(after.at) - Date.parse(before.at)) >= FRESHER_BY_MS;
}

function soonest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
