import type { TestHub } from "#test/fixtures/hub.ts";

/** How a simulated machine behaves. */
export interface MachinePlan {
  /** From the magic packet to the moment when it answers. */
  readonly bootMs: number;
  /** How many magic packets it takes; more than one stands for a lossy network. */
  readonly packetsNeeded: number;
  /** It hears the packets and stays off. */
  readonly neverBoots: boolean;
  /** A firewall may drop ICMP. */
  readonly answersPing: boolean;
  /** It falls asleep by itself so long after it came up; null = never. */
  readonly sleepsAgainAfterMs: number | null;
  /** What asks it to stay up. */
  readonly inhibitors: readonly string[];
}

export const PLAN: MachinePlan = {
  bootMs: 500,
  packetsNeeded: 1,
  neverBoots: false,
  answersPing: true,
  sleepsAgainAfterMs: null,
  inhibitors: [],
};

export interface WorldMachine {
  /** Magic packets for its own MAC address that its card has heard. */
  readonly packets: number;
  readonly isUp: boolean;
  /** How often it went down because its own agent told it to. */
  readonly timesPoweredOff: number;
  powerOn(): Promise<void>;
  /** As by its button: nobody says goodbye. */
  powerOff(): Promise<void>;
}

export interface WorldAgent {
  readonly id: string;
  readonly key: string;
  /** Ends at once, without a word. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

export interface AddMachine {
  readonly plan?: Partial<MachinePlan>;
  /** Whether an agent runs on it while it is up. */
  readonly withAgent?: boolean;
  /** Fields of the device. */
  readonly device?: object;
}

export interface WorldDevice {
  readonly id: string;
  readonly key: string;
}

/** A hub with agents and machines around it, for scenarios that hold on loopback and on real networks alike. */
export interface World {
  readonly hub: TestHub;
  addAgent(): Promise<WorldAgent>;
  /** A machine that is off, and the device that stands for it, seen off. */
  addMachine(options?: AddMachine): Promise<{ machine: WorldMachine; device: WorldDevice }>;
  close(): Promise<void>;
}
