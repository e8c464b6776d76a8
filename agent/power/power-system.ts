import type { PowerOffAction } from "#contracts/power-action.ts";

/** What a machine says of its own ways of going down. */
export interface PowerAbility {
  readonly actions: readonly PowerOffAction[];
  /** Why it can do nothing, and what to do about that; null where it can do something. */
  readonly problem: string | null;
}

/**
 * What an agent needs of the machine that it runs on to take it down.
 *
 * The real ones are made by `powerSystem`; whoever simulates machines passes its own to `startAgent`, whose `goDown` then ends
 * the simulated machine.
 */
export interface PowerSystem {
  /** What it can do now. Never rejects. */
  able(): Promise<PowerAbility>;
  /** The MAC addresses of all its network cards, in canonical form. */
  ownMacs(): Promise<ReadonlySet<string>>;
  /** What asks it to stay up, a sentence each; empty where nothing does or where it cannot be told. */
  inhibitors(action: PowerOffAction): Promise<readonly string[]>;
  /** How many people are logged in; null = unknown. */
  users(): Promise<number | null>;
  /** Shows a sentence to those who are logged in, as far as there is a way. */
  tell(sentence: string): Promise<void>;
  /** Sets the network card with this MAC address to wake on a magic packet. Whether it is set then; null = unknown. */
  arm(mac: string): Promise<boolean | null>;
  /** Resolves when the system has taken the command. @throws Error with the system's own words where it has not. */
  goDown(action: PowerOffAction, options: { readonly force: boolean }): Promise<void>;
}
