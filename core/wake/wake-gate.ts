import type { Key } from "#contracts/key.ts";
import type { ErrorCode } from "../kernel/errors.ts";
import type { DirectoryDevice } from "../members/directory.ts";
import type { Asker, RunningWake } from "./running-wake.ts";

/**
 * Lets a wake begin when what its device needs is ready, and when its cluster's pace lets it. Until then it is `waiting`.
 *
 * It decides; the wake service acts.
 */
export interface WakeGate {
  /** What a request leads to besides the devices that it names; undefined where none of them needs or awaits anything. */
  plan(devices: readonly DirectoryDevice[], asker: Asker, force: boolean): GatePlan | undefined;
  /** Those of these fresh wakes that have to wait, with what for. The others begin at once. */
  hold(wakes: readonly RunningWake[], paced: ReadonlySet<string>, nowMs: number): ReadonlyMap<RunningWake, Waiting>;
  /** A wake is over, whether it waited or not. */
  forget(wake: RunningWake): void;
  /** What became of those that wait; undefined while nobody does. */
  tick(nowMs: number): GateNews | undefined;
}

export interface GatePlan {
  /** Why a device that was asked for is not woken, or `waits`: what it needs may bring it into reach. By id. */
  readonly verdicts: ReadonlyMap<string, GateRefusal | "waits">;
  /** What has to be woken besides, each after what it needs itself. */
  readonly needed: readonly DirectoryDevice[];
  /** Devices that take turns with others of their cluster, by id. */
  readonly paced: ReadonlySet<string>;
}

export interface GateRefusal {
  readonly code: ErrorCode;
  readonly reason: string;
}

/** What a wake waits for, as its stage tells. */
export interface Waiting {
  readonly for: Key[];
  readonly reason: string;
}

export interface GateNews {
  readonly begin: readonly RunningWake[];
  readonly fail: readonly { readonly wake: RunningWake; readonly refusal: GateRefusal }[];
  /** They go on waiting, for something else. */
  readonly wait: readonly { readonly wake: RunningWake; readonly waiting: Waiting }[];
}
