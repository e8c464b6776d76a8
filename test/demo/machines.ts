import type { DeviceCreate } from "#contracts/api/devices.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import { type SimulatedMachine, startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";
import { MACHINES, type Machine } from "./scene.ts";

/** Only Linux has all of 127.0.0.0/8 and broadcasts in it; elsewhere the machines differ in their ports alone. */
const HAS_WHOLE_LOOPBACK = process.platform === "linux";
const LOOPBACK = "127.0.0.1";
const LOOPBACK_BROADCAST = "127.255.255.255";

const WATCHED_EVERY_SECONDS = 2;
const TIRED_CHECK_MS = 1_000;
/** From the order to the moment when it does not answer any more. */
const GOES_DOWN_IN_MS = 1_500;

export interface DemoMachine {
  readonly machine: Machine;
  /** How the hub reaches it. */
  readonly settings: Pick<DeviceCreate, "address" | "wake" | "watch">;
  /** Tells now, and from now on, whether it is up. */
  readonly onPower: (listener: (up: boolean) => void) => void;
  /** It begins to go down; of a reboot it comes back. */
  readonly goDown: (action: PowerOffAction) => void;
  close(): Promise<void>;
}

export async function startMachine(machine: Machine): Promise<DemoMachine> {
  const host = HAS_WHOLE_LOOPBACK ? machine.address : LOOPBACK;
  const listeners: ((up: boolean) => void)[] = [];
  const onPower = (up: boolean) => listeners.forEach((listener) => listener(up));
  const simulated = await startSimulatedMachine({ ...machine, host, onPower });
  if (machine.isUpAtFirst) simulated.powerOn();
  const sleep = machine.sleepsAfterMs === undefined ? undefined : sleepAfter(simulated, machine.sleepsAfterMs);
  let goingDown: NodeJS.Timeout | undefined;
  return {
    machine,
    settings: {
      address: host,
      wake: {
        addresses: [HAS_WHOLE_LOOPBACK ? LOOPBACK_BROADCAST : LOOPBACK],
        ports: [simulated.udpPort],
        windowSeconds: machine.windowSeconds ?? null,
      },
      // every loopback address answers a ping, up or not
      watch: { icmp: false, arp: false, tcpPorts: [simulated.tcpPort], intervalSeconds: WATCHED_EVERY_SECONDS },
    },
    onPower: (listener) => {
      listeners.push(listener);
      listener(simulated.isUp);
    },
    goDown: (action) => {
      goingDown = setTimeout(() => {
        void simulated.powerOff();
        if (action === "reboot") goingDown = setTimeout(() => simulated.powerOn(), machine.bootMs);
      }, GOES_DOWN_IN_MS);
    },
    close: () => {
      clearInterval(sleep);
      clearTimeout(goingDown);
      return simulated.close();
    },
  };
}

export async function startMachines(): Promise<DemoMachine[]> {
  return Promise.all(MACHINES.map(startMachine));
}

function sleepAfter(simulated: SimulatedMachine, awakeMs: number): NodeJS.Timeout {
  let upSinceMs: number | undefined;
  return setInterval(() => {
    const nowMs = performance.now();
    upSinceMs = simulated.isUp ? (upSinceMs ?? nowMs) : undefined;
    if (upSinceMs !== undefined && nowMs - upSinceMs >= awakeMs) void simulated.powerOff();
  }, TIRED_CHECK_MS);
}
