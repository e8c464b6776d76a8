import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { ProbeReceipt } from "#contracts/agent.ts";
import { DeviceAddress } from "#contracts/address.ts";
import { Key } from "#contracts/key.ts";
import { ORDER_LIFETIME_MS } from "#contracts/limits.ts";
import { MacAddress } from "#contracts/mac-address.ts";
import type { ProbeOrder } from "#contracts/order.ts";
import { topics } from "#contracts/topics.ts";
import type { Presence } from "../agents/presence.ts";
import type { HubSigner } from "../kernel/hub-key.ts";
import type { Link } from "../kernel/link.ts";
import type { Directory, DirectoryAgent, DirectoryDevice } from "../members/directory.ts";

/** How a service is: it answers, it is being asked, or it did not answer in time. */
export type ProbeState = "open" | "asking" | "silent";

interface Probe<User> {
  readonly deviceId: string;
  readonly port: number;
  readonly users: Set<User>;
  readonly endsMs: number;
  nextMs: number;
  asked: number;
  state: ProbeState;
  /** Orders that an answer may still come for. */
  readonly orders: Set<string>;
}

/** Pauses between two questions; the last one stays. Milliseconds. */
const PAUSES_MS = [1_000, 2_000, 3_000, 5_000, 10_000] as const;

export interface ProbesOptions {
  readonly directory: Directory;
  readonly presence: Presence;
  readonly link: Link;
  readonly signer: HubSigner;
  readonly log: Logger;
}

/** Asks agents whether services of devices accept connections, again and again until one does or the time is over. */
export class Probes<User> {
  readonly #options: ProbesOptions;
  readonly #probes = new Map<string, Probe<User>>();
  readonly #byOrder = new Map<string, Probe<User>>();
  readonly #news = new Set<User>();

  constructor(options: ProbesOptions) {
    this.#options = options;
  }

  /** How a service is. It is asked until it answers, its time is over, or all users have left. */
  use(user: User, device: DirectoryDevice, port: number, times: { nowMs: number; patienceMs: number }): ProbeState {
    const key = keyOf(device.id, port);
    let probe = this.#probes.get(key);
    if (!probe) {
      const { nowMs, patienceMs } = times;
      const timing = { endsMs: nowMs + patienceMs, nextMs: nowMs, asked: 0 };
      probe = { deviceId: device.id, port, users: new Set(), ...timing, state: "asking", orders: new Set() };
      this.#probes.set(key, probe);
    }
    probe.users.add(user);
    return probe.state;
  }

  leave(user: User, deviceId: string, port: number): void {
    const key = keyOf(deviceId, port);
    const probe = this.#probes.get(key);
    if (!probe?.users.delete(user) || probe.users.size > 0) return;
    this.#probes.delete(key);
    for (const order of probe.orders) this.#byOrder.delete(order);
  }

  /** @returns whose service is another than before. */
  tick(nowMs: number): User[] {
    for (const probe of this.#probes.values()) {
      if (probe.state !== "asking") continue;
      if (nowMs >= probe.endsMs) this.#settle(probe, "silent");
      else if (nowMs >= probe.nextMs) this.#ask(probe, nowMs);
    }
    const news = [...this.#news];
    this.#news.clear();
    return news;
  }

  /** Takes in what an agent found. */
  receipt(agent: DirectoryAgent, { order, probe: { device, tcpPort, open } }: ProbeReceipt): void {
    const probe = this.#byOrder.get(order);
    const asked = probe && this.#options.directory.devices.byId(probe.deviceId);
    if (!probe || asked?.key !== device || probe.port !== tcpPort) return;
    if (!this.#candidates(asked).some(({ id }) => id === agent.id)) return; // it was not asked, whatever it says
    if (open) this.#settle(probe, "open");
  }

  #settle(probe: Probe<User>, state: ProbeState): void {
    probe.state = state;
    for (const user of probe.users) this.#news.add(user);
  }

  #ask(probe: Probe<User>, nowMs: number): void {
    const { directory, presence, link, signer, log } = this.#options;
    const device = directory.devices.byId(probe.deviceId);
    const online = device ? this.#candidates(device).filter(({ id }) => presence.isOnline(id)) : [];
    const agent = online[probe.asked % Math.max(1, online.length)]; // another one each time: one may have no way to it
    probe.nextMs = nowMs + (PAUSES_MS[probe.asked] ?? PAUSES_MS.at(-1) ?? 0);
    if (!device || !agent) return;
    probe.asked++;
    const order = probeOrder(agent, device, probe.port, new Date());
    probe.orders.add(order.id);
    this.#byOrder.set(order.id, probe);
    const properties = { messageExpiryInterval: ORDER_LIFETIME_MS / 1_000 };
    link
      .publish(order.aud, signer.sign(order), { ...topics.agentOrder.options, properties })
      .catch((error: unknown) => log.warn({ err: error, order: order.id }, "a probe could not be asked for"));
  }

  /** Whoever serves the device. The agent on it comes last: from there a service may answer that nobody else reaches. */
  #candidates(device: DirectoryDevice): DirectoryAgent[] {
    const { directory } = this.#options;
    const own = directory.ownAgentOf(device);
    const others = directory.agentsFor(device).filter(({ id }) => id !== own?.id);
    return others.length > 0 || !own ? others : [own];
  }
}

function keyOf(deviceId: string, port: number): string {
  return `${deviceId} ${port}`;
}

function probeOrder(agent: DirectoryAgent, device: DirectoryDevice, port: number, now: Date): ProbeOrder {
  const iat = now.getTime() / 1_000;
  return {
    type: "probe",
    aud: topics.agentOrder.for(agent.key),
    id: randomUUID(),
    iat,
    exp: iat + ORDER_LIFETIME_MS / 1_000,
    device: Key.parse(device.key),
    address: device.address === null ? null : DeviceAddress.parse(device.address),
    mac: MacAddress.parse(device.mac),
    tcpPort: port,
  };
}
