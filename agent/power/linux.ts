import { userInfo } from "node:os";
import type { PowerOffAction } from "#contracts/power-action.ts";
import { parseEthtool } from "../machine/ethtool.rules.ts";
import {
  CAN,
  LIST_CARDS,
  linuxAbility,
  type LoggedIn,
  parseCan,
  parseCards,
  parseInhibitors,
  parseSessions,
  parseWakeup,
  VERBS,
} from "./linux.rules.ts";
import type { PowerAbility, PowerSystem } from "./power-system.ts";
import { HOWEVER_LONG, type Run, tryRun } from "./run.ts";

const LOGIND = ["org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"] as const;
/** Desktops that are told by a notification each; the others read what `wall` writes. */
const MAX_NOTIFIED = 8;

/** Linux: logind where it runs, else what root may do by itself. */
export class LinuxPower implements PowerSystem {
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  async able(): Promise<PowerAbility> {
    const answers = await Promise.all(Object.values(CAN).map((method) => this.#ask(method)));
    const [shutdown, sleep, hibernate, reboot] = answers.map(parseCan);
    const hasLogind = answers.some((answer) => answer !== undefined);
    const isRoot = process.getuid?.() === 0;
    return linuxAbility({
      user: nameOfUser(),
      logind:
        hasLogind && shutdown && sleep && hibernate && reboot ? { shutdown, sleep, hibernate, reboot } : undefined,
      isRoot,
      sleepStates: hasLogind ? "" : ((await this.#try("cat", ["/sys/power/state"])) ?? ""),
      hasPowerOff: !hasLogind && (await this.#try("sh", ["-c", "command -v poweroff"])) !== undefined,
    });
  }

  async ownMacs(): Promise<ReadonlySet<string>> {
    return new Set((await this.#cards()).map(({ mac }) => mac));
  }

  async inhibitors(action: PowerOffAction): Promise<readonly string[]> {
    return parseInhibitors(await this.#ask("ListInhibitors", "--json=short"), action);
  }

  async users(): Promise<number | null> {
    return (await this.#people())?.length ?? null;
  }

  async tell(sentence: string): Promise<void> {
    const people = (await this.#people()) ?? [];
    const desktops = process.getuid?.() === 0 ? people.filter(({ uid }) => uid >= 1000).slice(0, MAX_NOTIFIED) : [];
    await Promise.all([
      this.#try("wall", [sentence]),
      ...desktops.map(({ uid, name }) => this.#try("runuser", ["-u", name, "--", ...notification(uid, sentence)])),
    ]);
  }

  async arm(mac: string): Promise<boolean | null> {
    const cards = (await this.#cards()).filter((card) => card.isDevice && card.mac === mac);
    const armed = await Promise.all(cards.map((card) => this.#armed(card.interface)));
    if (armed.includes(true)) return true;
    return armed.includes(false) ? false : null;
  }

  async goDown(action: PowerOffAction, { force }: { readonly force: boolean }): Promise<void> {
    if ((await this.#ask(CAN[action])) !== undefined) {
      const options = ["--no-ask-password", ...(force ? ["--ignore-inhibitors"] : [])];
      await this.#run("systemctl", [...options, VERBS[action]], HOWEVER_LONG);
    } else if (action === "shutdown" || action === "reboot") await this.#run(VERBS[action], [], HOWEVER_LONG); // every init system has both
    else await this.#run("sh", ["-c", `echo ${action === "sleep" ? "mem" : "disk"} > /sys/power/state`], HOWEVER_LONG);
  }

  async #armed(name: string): Promise<boolean | null> {
    const before = await this.#readArmed(name);
    if (before !== false) return before;
    await this.#try("ethtool", ["-s", name, "wol", "g"]); // what came of it is what counts
    return this.#readArmed(name);
  }

  async #readArmed(name: string): Promise<boolean | null> {
    const { armed } = parseEthtool((await this.#try("ethtool", [name])) ?? "");
    if (armed !== null) return armed;
    const wakeup = await this.#try("cat", [`/sys/class/net/${name}/device/power/wakeup`]); // without ethtool, or its right
    return parseWakeup(wakeup);
  }

  async #people(): Promise<LoggedIn[] | undefined> {
    const people = parseSessions(await this.#ask("ListSessionsEx", "--json=short")); // since systemd 256
    return people ?? parseSessions(await this.#ask("ListSessions", "--json=short"));
  }

  async #cards() {
    return parseCards(await this.#try("sh", ["-c", LIST_CARDS]));
  }

  #ask(method: string, ...options: readonly string[]): Promise<string | undefined> {
    return this.#try("busctl", ["--system", ...options, "call", ...LOGIND, method]);
  }

  #try(file: string, args: readonly string[]): Promise<string | undefined> {
    return tryRun(this.#run, file, args);
  }
}

function notification(uid: number, sentence: string): string[] {
  const bus = `DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/${uid}/bus`;
  return ["env", bus, "notify-send", "--urgency=critical", "--app-name=PowerBeacon", "PowerBeacon", sentence];
}

/** A user without an entry in the list of users has a number only. */
function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? "");
  }
}
