import type { RefusalReason } from "#contracts/agent.ts";
import type { PowerOrder } from "#contracts/order.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import type { PowerAbility } from "./power-system.ts";

export interface Objection {
  readonly code: RefusalReason;
  /** For the person who asked. */
  readonly reason: string;
}

const SENTENCES: Readonly<Partial<Record<RefusalReason, string>>> = {
  EXPIRED: "The order came too late",
  NOT_YET_VALID: "The order came from the future: the hub's clock was set",
  CLOCK_UNKNOWN:
    "It cannot tell how old the order is: it was suspended, or its clock was set, or it has just connected",
  WRONG_MACHINE: "No network card of it has this MAC address",
  SUPERSEDED: "It was woken after that",
};

const MAX_NAMED = 3;
/** Of a receipt's reason, less what stands before it. Characters. */
const MAX_LISTED = 400;

/** What is wrong with an order itself, with a sentence for the person who asked. */
export function objectionOf(code: RefusalReason): Objection {
  return { code, reason: SENTENCES[code] ?? code };
}

/** Why the order is not for this machine: unless a person chose this agent, the MAC address has to be one of its own. */
export function whyNotThisMachine(
  { chosen, mac }: Pick<PowerOrder, "chosen" | "mac">,
  ownMacs: ReadonlySet<string>,
): Objection | undefined {
  return chosen || ownMacs.has(mac) ? undefined : objectionOf("WRONG_MACHINE");
}

/** Why the machine cannot do what the order says; undefined when it can. */
export function whyUnable(action: PowerOffAction, { actions, problem }: PowerAbility): Objection | undefined {
  if (actions.includes(action)) return undefined;
  const reason = problem ?? `This machine cannot do "${action}", only ${actions.join(", ")}`;
  return { code: "NOT_ABLE", reason };
}

/** Why the machine should stay up for now; undefined when nothing asks it to, or when the order says in spite of that. */
export function whyHeld(order: Pick<PowerOrder, "force">, inhibitors: readonly string[]): Objection | undefined {
  if (order.force || inhibitors.length === 0) return undefined;
  const more = inhibitors.length > MAX_NAMED ? ` and ${inhibitors.length - MAX_NAMED} more` : "";
  const named = inhibitors.slice(0, MAX_NAMED).join("; ").slice(0, MAX_LISTED);
  return { code: "INHIBITED", reason: `It is held up by ${named}${more}` };
}

/**
 * Why the machine would be stranded; undefined when it can be woken again.
 *
 * A card of which nothing is known counts as armed: the hub knows whether it ever woke. After a reboot nobody needs to wake it.
 *
 * @param armed whether the network card answers a magic packet, after it was tried to arm it; null = unknown.
 */
export function whyStranded(
  { action, strand }: Pick<PowerOrder, "action" | "strand">,
  armed: boolean | null,
): Objection | undefined {
  if (armed !== false || strand || action === "reboot") return undefined;
  return {
    code: "NOT_ARMED",
    reason:
      "Its network card is not set to wake on a magic packet, and could not be set to: nobody could wake it again",
  };
}

/** Whether people there are to be asked first: where nobody is logged in, nobody could say not now. */
export function isCountedDown(
  { countdownSeconds }: Pick<PowerOrder, "countdownSeconds">,
  users: number | null,
): boolean {
  return countdownSeconds > 0 && users !== 0;
}

const GOES: Record<PowerOffAction, string> = {
  shutdown: "shuts down",
  sleep: "goes to sleep",
  hibernate: "hibernates",
  reboot: "restarts",
};

/** What people on the machine read. */
export function warning(action: PowerOffAction, seconds: number): string {
  const when = seconds < 120 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`;
  return `This machine ${GOES[action]} in ${when}, as PowerBeacon was asked to. Not now? Run: powerbeacon-agent not-now`;
}

export function allClear(reason: string): string {
  return `This machine stays up after all: ${reason}`;
}
