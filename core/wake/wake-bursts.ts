import type { Logger } from "pino";
import { ORDER_LIFETIME_MS } from "#contracts/limits.ts";
import { topics } from "#contracts/topics.ts";
import type { Presence } from "../agents/presence.ts";
import type { HubSigner } from "../kernel/hub-key.ts";
import type { Link } from "../kernel/link.ts";
import type { Directory, DirectoryAgent, DirectoryCluster, DirectoryDevice } from "../members/directory.ts";
import { type BurstPlan, burstPlan, type LearnedAim, learnedAim } from "./bursts.rules.ts";
import type { Recipes } from "./recipes.ts";
import type { RunningWake } from "./running-wake.ts";
import { type WakeAim, wakeOrders } from "./wake-orders.ts";

export interface WakeBurstsOptions {
  readonly directory: Directory;
  readonly presence: Presence;
  readonly link: Link;
  readonly signer: HubSigner;
  readonly recipes: Recipes;
  readonly log: Logger;
}

/** What later bursts go to: every broadcast address, and the device's own. */
const WIDE = ["directed", "limited", "all-nodes", "unicast"] as const;

/** A broker that held the message up does not hand it out any more when the order in it has expired. */
const EXPIRES = { messageExpiryInterval: ORDER_LIFETIME_MS / 1_000 };

interface SentOrder {
  readonly atMs: number;
  readonly wakes: ReadonlyMap<string, RunningWake>;
  /** The agents that each target was sent to, by device key. */
  readonly asked: ReadonlyMap<string, readonly DirectoryAgent[]>;
}

/** Sends the bursts of wakes as signed orders, and remembers what was ordered of whom until no receipt can come any more. */
export class WakeBursts {
  readonly #options: WakeBurstsOptions;
  readonly #orders = new Map<string, SentOrder>();

  constructor(options: WakeBurstsOptions) {
    this.#options = options;
  }

  /** An order that a receipt may still come for. */
  order(id: string): SentOrder | undefined {
    return this.#orders.get(id);
  }

  forgetOld(nowMs: number): void {
    for (const [id, { atMs }] of this.#orders) {
      if (nowMs - atMs < ORDER_LIFETIME_MS * 2) break; // the oldest come first
      this.#orders.delete(id);
    }
  }

  /** Sends a burst for each of these wakes: one order for up to 200 devices of a cluster. */
  send(wakes: readonly RunningWake[], nowMs: number): void {
    const { directory, presence } = this.#options;
    const byCluster = new Map<string, { aims: WakeAim[]; wakes: Map<string, RunningWake> }>();
    const onlineIn = new Map<string, DirectoryAgent[]>();
    const onlineOf = (cluster: DirectoryCluster) => {
      let online = onlineIn.get(cluster.id);
      if (!online)
        onlineIn.set(
          cluster.id,
          (online = directory.agentsOf(cluster.id).filter((agent) => presence.isOnline(agent.id))),
        );
      return online;
    };
    for (const wake of wakes) {
      const device = directory.devices.byId(wake.deviceId);
      if (!device) continue;
      const cluster = directory.clusterOf(device);
      const aim = this.#aimOf(wake, device, onlineOf(cluster));
      wake.beginBurst(aim.agents, nowMs);
      if (aim.agents.length === 0) continue; // perhaps at the next burst one is back
      const batch = byCluster.get(cluster.key) ?? { aims: [], wakes: new Map<string, RunningWake>() };
      batch.aims.push(aim);
      batch.wakes.set(device.key, wake);
      byCluster.set(cluster.key, batch);
    }
    for (const [clusterKey, batch] of byCluster) this.#publishOrders(clusterKey, batch.aims, batch.wakes, nowMs);
  }

  /** Who would send the first burst to a device now, and where to. */
  firstAim(device: DirectoryDevice): WakeAim {
    const { directory, presence } = this.#options;
    const online = directory.agentsOf(device.clusterId).filter((agent) => presence.isOnline(agent.id));
    return this.#aimOf({ bursts: 0, failedBursts: 0 }, device, online);
  }

  /** Who sends the next burst of a wake, and where to. */
  #aimOf(
    wake: Pick<RunningWake, "bursts" | "failedBursts">,
    device: DirectoryDevice,
    online: readonly DirectoryAgent[],
  ): WakeAim {
    const { directory, recipes, link } = this.#options;
    // an agent on the machine itself is off when it is needed, and when it answers it has nobody to wake
    const itself = directory.ownAgentOf(device)?.id;
    const able = itself === undefined ? online : online.filter(({ id }) => id !== itself);
    const own = device.agentIds.length === 0 ? able : able.filter(({ id }) => device.agentIds.includes(id));
    const isOwn = (agentId: string) => own.some(({ id }) => id === agentId);
    const learned = learnedAim(recipes.of(device.id).ways, isOwn, device.address);
    const plan = burstPlan({
      burst: wake.bursts + 1,
      learned: learned !== undefined,
      nobodySent: wake.failedBursts > 0 || own.length === 0,
    });
    const agents = sendersOf(plan, { own, able, learned });
    return {
      device,
      agents,
      // a broker of somebody else's may hand the order to agents of other clusters, so there it names those who are meant
      wholeCluster: agents === online && link.knowsSenders,
      reach: plan.senders === "learned" ? learned?.reach : plan.unicast ? WIDE : undefined,
      interfaces: plan.senders === "learned" ? learned?.interfaces : undefined,
    };
  }

  #publishOrders(
    clusterKey: string,
    aims: readonly WakeAim[],
    wakes: ReadonlyMap<string, RunningWake>,
    nowMs: number,
  ): void {
    const { link, signer, log } = this.#options;
    const topic = topics.clusterWake.for(clusterKey);
    for (const part of wakeOrders(clusterKey, aims, new Date())) {
      const asked = new Map(part.aims.map((aim) => [aim.device.key, aim.agents]));
      this.#orders.set(part.order.id, { atMs: nowMs, wakes, asked });
      // at once: the order is on its way before anybody is told that there is one
      link
        .publish(topic, signer.sign(part.order), { ...topics.clusterWake.options, properties: EXPIRES })
        .catch((error: unknown) =>
          log.warn(
            { err: error, order: part.order.id },
            "an order could not be published; it is sent again with the next burst",
          ),
        );
    }
  }
}

function sendersOf(
  { senders }: BurstPlan,
  {
    own,
    able,
    learned,
  }: {
    readonly own: readonly DirectoryAgent[];
    readonly able: readonly DirectoryAgent[];
    readonly learned: LearnedAim | undefined;
  },
): readonly DirectoryAgent[] {
  switch (senders) {
    case "learned":
      return own.filter(({ id }) => learned?.agentIds.includes(id));
    case "own":
      return own;
    case "cluster":
      return able;
  }
}
