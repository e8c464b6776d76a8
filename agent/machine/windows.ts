import { type HostFacts, NOTHING_KNOWN } from "./host-facts.ts";
import { outputOf } from "./run.ts";
import { WINDOWS_SCRIPT, parseWindows } from "./windows.rules.ts";

/** The first PowerShell after a start of Windows takes its time. */
const TIMEOUT_MS = 20_000;

export async function readWindows(): Promise<HostFacts> {
  const encoded = Buffer.from(WINDOWS_SCRIPT, "utf16le").toString("base64");
  const args = ["-NoLogo", "-NoProfile", "-NonInteractive", "-EncodedCommand", encoded];
  const text = await outputOf("powershell.exe", args, TIMEOUT_MS);
  return (text === undefined ? undefined : parseWindows(text)) ?? NOTHING_KNOWN;
}
