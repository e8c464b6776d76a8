import { z } from "zod";
import { MacAddress } from "#contracts/mac-address.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import type { PowerAbility } from "./power-system.ts";

/** The methods of org.freedesktop.login1.Manager that tell what may be done. */
export const CAN: Record<PowerOffAction, string> = {
  shutdown: "CanPowerOff",
  sleep: "CanSuspend",
  hibernate: "CanHibernate",
  reboot: "CanReboot",
};

export const VERBS: Record<PowerOffAction, string> = {
  shutdown: "poweroff",
  sleep: "suspend",
  hibernate: "hibernate",
  reboot: "reboot",
};

/**
 * What logind answers to one of `CAN`, from what busctl prints: `s "yes"`.
 *
 * Of its answers `yes` and those that name an inhibitor mean that it could; `challenge` that this user would have to prove
 * who they are; `no` that they may not; `na` that the machine cannot.
 * @see org.freedesktop.login1(5)
 */
export function parseCan(printed: string | undefined): "able" | "forbidden" | "unable" {
  const answer = /"([^"]*)"/.exec(printed ?? "")?.[1] ?? "na";
  if (answer === "yes" || answer === "inhibited" || answer === "inhibitor-blocked") return "able";
  return answer === "na" ? "unable" : "forbidden";
}

export interface LinuxFacts {
  readonly user: string;
  /** What logind says of each; undefined where it does not run. */
  readonly logind: Readonly<Record<PowerOffAction, ReturnType<typeof parseCan>>> | undefined;
  readonly isRoot: boolean;
  /** `/sys/power/state`, such as `freeze mem disk`. */
  readonly sleepStates: string;
  /** Whether there is a program that powers off without logind. */
  readonly hasPowerOff: boolean;
}

const ACTIONS: readonly PowerOffAction[] = ["shutdown", "sleep", "hibernate", "reboot"];

export function linuxAbility(facts: LinuxFacts): PowerAbility {
  const { logind, isRoot, user } = facts;
  if (!logind) return abilityWithoutLogind(facts);
  const actions = ACTIONS.filter((action) => logind[action] === "able");
  if (actions.length > 0) return { actions, problem: null };
  const problem = ACTIONS.some((action) => logind[action] === "forbidden")
    ? `The user ${user}, as whom the agent runs there, may not power it off: run the agent as root, or allow it with a polkit rule`
    : isRoot
      ? "logind says that this machine cannot be powered off"
      : "logind says that this machine cannot be powered off by this user: run the agent as root";
  return { actions: [], problem };
}

function abilityWithoutLogind({ isRoot, sleepStates, hasPowerOff }: LinuxFacts): PowerAbility {
  if (!isRoot)
    return { actions: [], problem: "The agent there does not run as root, and there is no logind that it could ask" };
  const states = sleepStates.trim().split(/\s+/);
  const can: Record<PowerOffAction, boolean> = {
    shutdown: hasPowerOff,
    sleep: states.includes("mem"),
    hibernate: states.includes("disk"),
    reboot: hasPowerOff,
  };
  const actions = ACTIONS.filter((action) => can[action]);
  const problem = actions.length > 0 ? null : "There is neither logind nor a command to power it off on this machine";
  return { actions, problem };
}

/** `a(ssssuu)`: what, who, why, mode, user id, process id. */
const Inhibitors = z.object({
  data: z.tuple([z.array(z.tuple([z.string(), z.string(), z.string(), z.string(), z.number(), z.number()]))]),
});

/**
 * Who asks logind not to shut down or not to sleep, from `busctl --json=short call … ListInhibitors`.
 *
 * Those of mode `delay` only want to be told, and are waited for by logind itself.
 */
export function parseInhibitors(printed: string | undefined, action: PowerOffAction): string[] {
  const parsed = Inhibitors.safeParse(parseJson(printed));
  if (!parsed.success) return [];
  const kind = action === "sleep" || action === "hibernate" ? "sleep" : "shutdown";
  const [list] = parsed.data.data;
  return list
    .filter(([what, , , mode]) => mode.startsWith("block") && what.split(":").includes(kind))
    .map(([, who, why]) => (why ? `${who}: ${why}` : who));
}

/** `a(susso)`: session, user id, user, seat, path; or `a(sussussbto)`: the same with the process and the class after the seat. */
const Sessions = z.object({
  data: z.tuple([
    z.array(
      z.tuple([z.string(), z.number(), z.string(), z.string()], z.unknown()).transform(([, uid, name, , ...more]) => ({
        uid,
        name,
        class: more.length > 1 ? String(more[1]) : "user",
      })),
    ),
  ]),
});

export interface LoggedIn {
  readonly uid: number;
  readonly name: string;
}

/** Users of whom nobody is behind the keyboard: the log-in screens of desktops. */
const GREETERS = new Set(["gdm", "Debian-gdm", "gdm-greeter", "lightdm", "sddm", "greetd", "cosmic-greeter"]);

/** Who is logged in, each once, from `busctl --json=short call … ListSessions` or `ListSessionsEx`; undefined where it cannot be told. */
export function parseSessions(printed: string | undefined): LoggedIn[] | undefined {
  const parsed = Sessions.safeParse(parseJson(printed));
  if (!parsed.success) return undefined;
  const [list] = parsed.data.data;
  const people = list.filter((session) => session.class.startsWith("user") && !GREETERS.has(session.name));
  return [...new Map(people.map(({ uid, name }) => [uid, { uid, name }])).values()];
}

export interface Card {
  readonly interface: string;
  readonly mac: MacAddress;
  /** Whether there is a device behind it: a bridge has the MAC address of its card, and cannot be armed. */
  readonly isDevice: boolean;
}

/** Prints a line for each interface: its name, its MAC address, and `device` where there is one behind it. */
export const LIST_CARDS = `for i in /sys/class/net/*; do echo "\${i##*/} $(cat "$i/address") $([ -e "$i/device" ] && echo device)"; done`;

/** What `LIST_CARDS` printed; interfaces without a MAC address of their own are left out. */
export function parseCards(printed: string | undefined): Card[] {
  return (printed ?? "").split("\n").flatMap((line) => {
    const [name = "", address = "", device] = line.trim().split(" ");
    const mac = MacAddress.safeParse(address);
    return mac.success ? [{ interface: name, mac: mac.data, isDevice: device === "device" }] : [];
  });
}

/** Whether the kernel lets a card wake the machine at all, from its `power/wakeup`; null where the card cannot, or it does not say. */
export function parseWakeup(text: string | undefined): boolean | null {
  const word = text?.trim();
  return word === "enabled" ? true : word === "disabled" ? false : null;
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined; // an old busctl without --json says so in words
  }
}
