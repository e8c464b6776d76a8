import type { PowerOffAction } from "#contracts/power-action.ts";

/** How `powercfg /availablesleepstates` names the states that keep the memory: in every language with these letters. */
const SLEEP_STATE = /\(S[0-3]\b/;

/**
 * What a machine can do, from `powercfg /a`, which is in the language of the system.
 *
 * The states that it has stand indented below the first heading, those that it has not below the second. Hibernation has no
 * sign of its own there, so the registry is asked: `HibernateEnabled    REG_DWORD    0x1`.
 */
export function windowsActions(
  sleepStates: string | undefined,
  hibernateEnabled: string | undefined,
): PowerOffAction[] {
  const lines = (sleepStates ?? "").split(/\r?\n/);
  const first = lines.findIndex((line) => /^\s+\S/.test(line));
  const rest = first === -1 ? [] : lines.slice(first);
  const end = rest.findIndex((line) => /^\S/.test(line));
  const available = end === -1 ? rest : rest.slice(0, end);
  const sleep = available.some((line) => SLEEP_STATE.test(line));
  const hibernate = /HibernateEnabled\s+REG_DWORD\s+0x1\b/.test(hibernateEnabled ?? "");
  return ["shutdown", ...(sleep ? (["sleep"] as const) : []), ...(hibernate ? (["hibernate"] as const) : []), "reboot"];
}

/** The kinds of requests that mean that something works; those for the display only mean that somebody looks. */
const WORKING = new Set(["SYSTEM", "AWAYMODE", "EXECUTION"]);

/** What asks Windows to stay up, from `powercfg /requests`: `[PROCESS] \Device\…\backup.exe` and the reason below it. */
export function parseRequests(printed: string | undefined): string[] {
  const found: string[] = [];
  let section = "";
  for (const line of (printed ?? "").split(/\r?\n/).map((text) => text.trim())) {
    const heading = /^([A-Z]+):$/.exec(line)?.[1];
    const [, kind, who] = /^\[([A-Z]+)\]\s*(.*)$/.exec(line) ?? [];
    if (heading !== undefined) section = heading;
    else if (!WORKING.has(section) || line === "") continue;
    else if (kind !== undefined) found.push((who ?? "").split("\\").at(-1) || kind);
    else if (found.length > 0) found.push(`${found.pop()}: ${line}`);
  }
  return [...new Set(found)];
}

/** How many people are logged in, from `query user`, whose first line is a heading; null where it cannot be told. */
export function parseQueryUser(printed: string | undefined): number | null {
  if (printed === undefined) return null; // Windows Home has no such program
  const names = printed
    .split(/\r?\n/)
    .slice(1)
    .flatMap((line) => /^[> ]?(\S+)/.exec(line)?.[1] ?? []);
  return new Set(names).size;
}

/** What `ARM_SCRIPT` printed: `Enabled`, `Disabled`, `Unsupported`, or nothing where there is no such adapter. */
export function parseArmed(printed: string | undefined): boolean | null {
  const word = printed?.trim() ?? "";
  if (word === "") return null;
  return word.split(/\s+/).includes("Enabled");
}

/** Sets the adapter with a MAC address to wake on a magic packet where it is not, and prints what is set then. */
export function armScript(mac: string): string {
  const address = mac.replaceAll(":", "-").toUpperCase();
  return [
    `$ErrorActionPreference = 'SilentlyContinue'`,
    `$card = Get-NetAdapter -Physical | Where-Object MacAddress -eq '${address}'`,
    `if (-not $card) { exit }`,
    `$power = $card | Get-NetAdapterPowerManagement`,
    `if ($power.WakeOnMagicPacket -ne 'Enabled') { $card | Set-NetAdapterPowerManagement -WakeOnMagicPacket Enabled }`,
    `powercfg /deviceenablewake $card.InterfaceDescription | Out-Null`,
    `($card | Get-NetAdapterPowerManagement).WakeOnMagicPacket`,
  ].join("; ");
}
