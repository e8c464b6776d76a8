import type { PowerAbility } from "./power-system.ts";

/** What a Mac can do, from `pmset -g cap`, which names a feature a line. Everybody may send it to sleep, only root may shut it down. */
export function macosAbility(capabilities: string | undefined, isRoot: boolean): PowerAbility {
  const canSleep = /^\s*sleep\s*$/m.test(capabilities ?? "");
  const sleep = canSleep ? (["sleep"] as const) : [];
  if (isRoot) return { actions: ["shutdown", ...sleep, "reboot"], problem: null };
  return { actions: sleep, problem: canSleep ? null : "The agent there does not run as root, so it may not shut down" };
}

/** They assert all the time that a Mac is in use, also where it only has its display on. */
const ALWAYS = new Set(["powerd", "sharingd", "bluetoothd", "useractivityd"]);

/** Who asks a Mac not to sleep, from `pmset -g assertions`: `pid 95(caffeinate): [0x…] 00:00:05 PreventSystemSleep named: "…"`. */
export function parseAssertions(printed: string | undefined): string[] {
  const line = /^\s*pid \d+\(([^)]+)\): .*\b(?:PreventSystemSleep|PreventUserIdleSystemSleep) named: "([^"]*)"/gm;
  const held = [...(printed ?? "").matchAll(line)].filter(([, who = ""]) => !ALWAYS.has(who));
  return [...new Set(held.map(([, who, why]) => `${who}: ${why}`))];
}

/** How many people are logged in, from `who`. */
export function parseWho(printed: string | undefined): number | null {
  if (printed === undefined) return null;
  return new Set(printed.split("\n").flatMap((line) => /^(\S+)/.exec(line)?.[1] ?? [])).size;
}

/** Whether a Mac wakes on a magic packet, from `pmset -g`; null where it does not say. */
export function parseWomp(printed: string | undefined): boolean | null {
  const value = /^\s*womp\s+(\d)/m.exec(printed ?? "")?.[1];
  return value === undefined ? null : value === "1";
}
