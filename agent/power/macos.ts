import { networkInterfaces } from "node:os";
import type { PowerOffAction } from "#contracts/power-action.ts";
import { macosAbility, parseAssertions, parseWho, parseWomp } from "./macos.rules.ts";
import type { PowerAbility, PowerSystem } from "./power-system.ts";
import { HOWEVER_LONG, type Run, tryRun } from "./run.ts";

/** macOS: `pmset`, and as root `shutdown`. */
export class MacosPower implements PowerSystem {
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  async able(): Promise<PowerAbility> {
    return macosAbility(await this.#try("pmset", ["-g", "cap"]), process.getuid?.() === 0);
  }

  async ownMacs(): Promise<ReadonlySet<string>> {
    return new Set(Object.values(networkInterfaces()).flatMap((own) => own?.map(({ mac }) => mac) ?? []));
  }

  async inhibitors(): Promise<readonly string[]> {
    return parseAssertions(await this.#try("pmset", ["-g", "assertions"]));
  }

  async users(): Promise<number | null> {
    return parseWho(await this.#try("who", []));
  }

  async tell(sentence: string): Promise<void> {
    await this.#try("sh", ["-c", 'printf "%s\\n" "$1" | wall', "sh", sentence]);
    await this.#try("osascript", ["-e", `display notification ${JSON.stringify(sentence)} with title "PowerBeacon"`]);
  }

  async arm(): Promise<boolean | null> {
    const before = parseWomp(await this.#try("pmset", ["-g"]));
    if (before !== false) return before;
    await this.#try("pmset", ["-a", "womp", "1"]); // what came of it is what counts
    return parseWomp(await this.#try("pmset", ["-g"]));
  }

  async goDown(action: PowerOffAction): Promise<void> {
    if (action === "sleep") await this.#run("pmset", ["sleepnow"], HOWEVER_LONG);
    else await this.#run("shutdown", [action === "reboot" ? "-r" : "-h", "now"], HOWEVER_LONG);
  }

  #try(file: string, args: readonly string[]): Promise<string | undefined> {
    return tryRun(this.#run, file, args);
  }
}
