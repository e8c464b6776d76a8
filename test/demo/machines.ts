import type { DeviceCreate } from "#contracts/api/devices.ts";
import { type SimulatedMachine, startSimulatedMachine } from "#test/fixtures/simulated-machine.ts";
import { MACHINES, type Machine } from "./scene.ts";

/** Only Linux has all of 127.0.0.0/8 and broadcasts in it; elsewhere the machines differ in their ports alone. */
const HAS_WHOLE_LOOPBACK = process.platform === "linux";
const LOOPBACK = "127.0.0.1";
const LOOPBACK_BROADCAST = "127.255.255.255";

const WATCHED_EVERY_SECONDS = 5;
const TIRED_CHECK_MS = 1_000;

export interface DemoMachine {
  readonly machine: Machine;
  /** How the hub reaches it. */
  readonly settings: Pick<DeviceCreate, "address" | "wake" | "watch">;
  close(): Promise<void>;
}

export async function startMachine(machine: Machine): Promise<DemoMachine> {
  const host = HAS_WHOLE_LOOPBACK ? machine.address : LOOPBACK;
  const simulated = await startSimulatedMachine({ ...machine, host });
  if (machine.isUpAtFirst) simulated.powerOn();
  const sleep = machine.sleepsAfterMs === undefined ? undefined : sleepAfter(simulated, machine.sleepsAfterMs);
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
    close: () => {
      clearInterval(sleep);
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
