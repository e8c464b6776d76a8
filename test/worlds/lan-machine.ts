import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { COMPILED_ONCE } from "#test/fixtures/compile-cache.ts";
import type { Host, Networks } from "./networks.ts";
import { type MachinePlan, PLAN, type WorldMachine } from "./world.ts";

export type MachineCommand = { readonly id: number } & MachineWish;

type MachineWish = { readonly type: "power-on" | "power-off" } | { readonly type: "move"; readonly address: string };

export type MachineNews =
  | { readonly type: "done"; readonly id: number }
  | { readonly type: "packets"; readonly heard: number }
  | { readonly type: "power"; readonly up: boolean; readonly timesPoweredOff: number };

export interface LanMachineSettings {
  readonly plan: MachinePlan;
  readonly mac: string;
  readonly router: string;
  /** Where it accepts connections while it is up. */
  readonly tcpPort: number;
  /** Of the agent that runs on it while it is up; null = there is none. */
  readonly stateDir: string | null;
}

export interface LanMachine extends WorldMachine {
  readonly host: Host;
  /** As DHCP does it: the same machine at another address. */
  moveTo(address: string): Promise<void>;
  close(): void;
}

export const TCP_PORT = 22;

/** Puts a machine that is off on a network. */
export async function startLanMachine(
  networks: Networks,
  host: Host,
  { plan = {}, stateDir = null }: { readonly plan?: Partial<MachinePlan>; readonly stateDir?: string | null } = {},
): Promise<LanMachine> {
  const settings: LanMachineSettings = {
    plan: { ...PLAN, ...plan },
    mac: host.mac,
    router: networks.addressOn(host.network, 254),
    tcpPort: TCP_PORT,
    stateDir,
  };
  const file = join(import.meta.dirname, "lan-machine-process.ts");
  const inside = ["netns", "exec", host.namespace, process.execPath, file, JSON.stringify(settings)];
  const child: ChildProcess = spawn("ip", inside, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...process.env, ...COMPILED_ONCE }, // its own agent's, too
  });
  const waiting = new Map<number, () => void>();
  let packets = 0;
  let power = { up: false, timesPoweredOff: 0 };
  let wishes = 0;
  child.on("message", (news: MachineNews) => {
    if (news.type === "packets") packets = news.heard;
    else if (news.type === "power") power = news;
    else waiting.get(news.id)?.();
  });
  const ask = (wish: MachineWish) =>
    new Promise<void>((resolve) => {
      const id = ++wishes;
      waiting.set(id, resolve);
      child.send({ ...wish, id });
    });
  await new Promise<void>((resolve, reject) => {
    waiting.set(0, resolve);
    child.once("exit", (code) => reject(new Error(`the machine's process ended with ${code}`)));
  });
  return {
    host,
    get packets() {
      return packets;
    },
    get isUp() {
      return power.up;
    },
    get timesPoweredOff() {
      return power.timesPoweredOff;
    },
    powerOn: () => ask({ type: "power-on" }),
    powerOff: () => ask({ type: "power-off" }),
    moveTo: (address) => ask({ type: "move", address }),
    close: () => child.kill("SIGKILL"),
  };
}
