import type { PowerOffAction } from "#contracts/power-action.ts";

/** How `powercfg /availablesleepstates` names the states that keep the memory: in every language with these letters. */
const SLEEP_STATE = /\(S[0-3]\b/;

/**
 * What a machine can do, from `powercfg /a`, which is in the language of the system.
 *
 * The states that it has stand below the first heading; those that it has not stand below the second, each with a reason that
 * is indented further. Where it has none there is no first heading, so both signs are needed. Hibernation has no sign of its
 * own there, so the registry is asked: `HibernateEnabled    REG_DWORD    0x1`.
 */
export function windowsActions(
  sleepStates: string | undefined,
  hibernateEnabled: string | undefined,
): PowerOffAction[] {
  const lines = (sleepStates ?? "").split(/\r?\n/).filter((line) => line.trim() !== "");
  const second = lines.findIndex((line, at) => at > 0 && indentOf(line) === 0);
  const sleep = lines.some(
    (line, at) =>
      SLEEP_STATE.test(line) && (second === -1 || at < second) && indentOf(lines[at + 1] ?? "") <= indentOf(line),
  );
  const hibernate = /HibernateEnabled\s+REG_DWORD\s+0x1\b/.test(hibernateEnabled ?? "");
  return ["shutdown", ...(sleep ? (["sleep"] as const) : []), ...(hibernate ? (["hibernate"] as const) : []), "reboot"];
}

function indentOf(line: string): number {
  return (/^\s*/.exec(line)?.[0] ?? "").replaceAll("\t", "        ").length;
}

/** The kinds of requests that mean that something works; those for the display only mean that somebody looks. */
const WORKING = new Set(["SYSTEM", "AWAYMODE", "EXECUTION"]);

/**
 * What asks Windows to stay up, from `powercfg /requests`: a heading for each kind of request, below it `[PROCESS]`, `[SERVICE]` or
 * `[DRIVER]` with who asks, and in the next line why. "None." is in the language of the system, and stands alone.
 */
export function parseRequests(printed: string | undefined): string[] {
  const found: string[] = [];
  let section = "";
  let isReason = false;
  for (const line of (printed ?? "").split(/\r?\n/).map((text) => text.trim())) {
    const heading = /^([A-Z]+):$/.exec(line)?.[1];
    const [, kind, who] = /^\[([A-Z]+)\]\s*(.*)$/.exec(line) ?? [];
    if (heading !== undefined) section = heading;
    const isEntry = kind !== undefined && WORKING.has(section);
    if (isEntry) found.push(nameOf(kind, who ?? ""));
    else if (isReason && line !== "") found.push(`${found.pop()}: ${line}`);
    isReason = isEntry;
  }
  return [...new Set(found)];
}

/** A process is named by its path, a driver and a service by their name and in parentheses their place. */
function nameOf(kind: string, who: string): string {
  const name = kind === "PROCESS" ? who.split("\\").at(-1) : who.replace(/ \(.*$/, "");
  return name || kind.toLowerCase();
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
