import { networkInterfaces } from "node:os";
import type { PowerOffAction } from "#contracts/power-action.ts";
import type { PowerAbility, PowerSystem } from "./power-system.ts";
import { HOWEVER_LONG, type Run, tryRun } from "./run.ts";
import { armScript, parseArmed, parseQueryUser, parseRequests, windowsActions } from "./windows.rules.ts";

const POWER_KEY = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Power";

/** `SetSuspendState` keeps the events that wake the machine only with a third parameter that rundll32 cannot give it. */
const SLEEP =
  "Add-Type -AssemblyName System.Windows.Forms; [void][System.Windows.Forms.Application]::SetSuspendState('Suspend', $false, $false)";

/** PowerShell takes seconds to start on a small machine. */
const SHELL_WITHIN_MS = 8_000;

/** Windows: `shutdown.exe`, `powercfg.exe`, and PowerShell for what these cannot do. */
export class WindowsPower implements PowerSystem {
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  async able(): Promise<PowerAbility> {
    const [states, hibernate] = await Promise.all([
      this.#try("powercfg.exe", ["/a"]),
      this.#try("reg.exe", ["query", POWER_KEY, "/v", "HibernateEnabled"]),
    ]);
    return { actions: windowsActions(states, hibernate), problem: null };
  }

  async ownMacs(): Promise<ReadonlySet<string>> {
    return new Set(Object.values(networkInterfaces()).flatMap((own) => own?.map(({ mac }) => mac) ?? []));
  }

  async inhibitors(): Promise<readonly string[]> {
    return parseRequests(await this.#try("powercfg.exe", ["/requests"])); // for administrators only
  }

  async users(): Promise<number | null> {
    return parseQueryUser(await this.#try("query.exe", ["user"]));
  }

  async tell(sentence: string): Promise<void> {
    await this.#try("msg.exe", ["*", sentence]);
  }

  async arm(mac: string): Promise<boolean | null> {
    const args = ["-NoProfile", "-NonInteractive", "-Command", armScript(mac)];
    return parseArmed(await tryRun(this.#run, "powershell.exe", args, { withinMs: SHELL_WITHIN_MS }));
  }

  /** `/s` is a whole shutdown: without `/hybrid` there is no fast start-up, from which a machine often cannot be woken. */
  async goDown(action: PowerOffAction, { force }: { readonly force: boolean }): Promise<void> {
    const forced = force ? ["/f"] : [];
    switch (action) {
      case "shutdown":
        await this.#run("shutdown.exe", ["/s", "/t", "0", ...forced]);
        return;
      case "reboot":
        await this.#run("shutdown.exe", ["/r", "/t", "0", ...forced]);
        return;
      case "hibernate":
        await this.#run("shutdown.exe", ["/h", ...forced], HOWEVER_LONG);
        return;
      case "sleep":
        await this.#run("powershell.exe", ["-NoProfile", "-NonInteractive", "-Command", SLEEP], HOWEVER_LONG);
    }
  }

  #try(file: string, args: readonly string[]): Promise<string | undefined> {
    return tryRun(this.#run, file, args);
  }
}
