import type { PacketHeard } from "#contracts/agent.ts";
import { MacAddress } from "#contracts/mac-address.ts";
import { Allowance } from "../kernel/allowance.ts";
import type { Directory, DirectoryAgent, DirectoryDevice } from "../members/directory.ts";
import { originOf } from "./heard.rules.ts";
import type { RunningWake } from "./running-wake.ts";
import type { WakeService } from "./wake.service.ts";

/** A magic packet for a device that this hub had no part in. */
export interface ForeignPacket {
  readonly device: DirectoryDevice;
  /** The agent that heard it. */
  readonly agent: DirectoryAgent;
  readonly from: string;
}

/** Each device is told of once in this time, and so many in a second. Milliseconds. */
const QUIET_MS = 10_000;
const TOLD = { each: 20, all: 100, periodMs: 1_000 };
/** So many devices' last foreign packets are remembered. */
const MAX_REMEMBERED = 10_000;

/** Weighs the magic packets that agents heard: proof for a running wake, or news of somebody else who wakes machines. */
export class HeardPackets {
  readonly #directory: Directory;
  readonly #wakes: WakeService;
  readonly #told = new Allowance(TOLD);
  readonly #foreign = new Map<string, { readonly from: string; readonly atMs: number }>();
  readonly #addresses = new WeakMap<DirectoryAgent, ReadonlySet<string>>();
  readonly #listeners: ((packet: ForeignPacket) => void)[] = [];

  constructor({ directory, wakes }: { directory: Directory; wakes: WakeService }) {
    this.#directory = directory;
    this.#wakes = wakes;
  }

  onForeign(listener: (packet: ForeignPacket) => void): void {
    this.#listeners.push(listener);
  }

  /** Who last sent this device a magic packet that was not ours, within the time given. */
  foreignOf(deviceId: string, withinMs: number, nowMs: number): string | null {
    const packet = this.#foreign.get(deviceId);
    return packet && nowMs - packet.atMs <= withinMs ? packet.from : null;
  }

  /** An agent may tell of devices of its own site alone; what it says of others falls on the floor. */
  take(agent: DirectoryAgent, packets: readonly PacketHeard[], nowMs: number): void {
    for (const packet of packets) {
      const mac = MacAddress.safeParse(packet.mac);
      const device = mac.success ? this.#directory.deviceByMac(agent.siteId, mac.data) : undefined;
      if (device) this.#weigh(device, agent, packet, nowMs);
    }
  }

  #weigh(device: DirectoryDevice, agent: DirectoryAgent, { from, port }: PacketHeard, nowMs: number): void {
    const wake = this.#wakes.runningOf(device.id) ?? this.#wakes.lastOf(device.id);
    const sender = wake && this.#senderOf(wake, from);
    const overForMs = wake?.finishedMs == null ? null : nowMs - wake.finishedMs;
    const origin = originOf(wake ? { sentFrom: sender !== undefined, byHearer: sender === agent.id, overForMs } : null);
    if (origin === "on-wire" && wake) return this.#wakes.heard(wake, { agent, from, port }, nowMs);
    if (origin === "foreign") this.#noteForeign({ device, agent, from }, nowMs);
  }

  /** The agent asked in this wake that has this address. */
  #senderOf(wake: RunningWake, from: string): string | undefined {
    for (const id of wake.agents.keys()) {
      const agent = this.#directory.agents.byId(id);
      if (agent && this.#addressesOf(agent).has(from)) return id;
    }
    return undefined;
  }

  #addressesOf(agent: DirectoryAgent): ReadonlySet<string> {
    let addresses = this.#addresses.get(agent);
    if (!addresses) {
      const all = agent.interfaces.flatMap((card) => card.addresses.map((cidr) => cidr.split("/")[0] ?? cidr));
      this.#addresses.set(agent, (addresses = new Set(all)));
    }
    return addresses;
  }

  #noteForeign(packet: ForeignPacket, nowMs: number): void {
    const { device, from } = packet;
    const last = this.#foreign.get(device.id);
    if (last?.from === from && nowMs - last.atMs < QUIET_MS) return;
    if (!this.#told.take(device.siteId, nowMs)) return;
    this.#foreign.delete(device.id); // so that the oldest come first
    this.#foreign.set(device.id, { from, atMs: nowMs });
    const [oldest] = this.#foreign.keys();
    if (this.#foreign.size > MAX_REMEMBERED && oldest !== undefined) this.#foreign.delete(oldest);
    for (const listener of this.#listeners) listener(packet);
  }
}
