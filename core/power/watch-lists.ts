import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { MAX_SIGNED_BYTES, MAX_WATCHED_DEVICES } from "#contracts/limits.ts";
import { WatchList, type WatchedDevice } from "#contracts/order.ts";
import { topics } from "#contracts/topics.ts";
import type { HubSigner } from "../kernel/hub-key.ts";
import type { Link } from "../kernel/link.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import type { PowerStates } from "./power-states.ts";

/** Changes come in swarms (a cluster is filled, agents reconnect); they are gathered for so long. Milliseconds. */
const GATHER_MS = 100;
/** A broker that does not answer does not hold up the end of the hub, which says it all again at its next start. */
const FAREWELL_MS = 1_000;

export interface WatchLists {
  /** Publishes the lists of all agents, as at a start. */
  publishAll(): void;
  close(): Promise<void>;
}

/** Keeps each agent's signed, retained watch list up to date. */
export function startWatchLists(options: {
  readonly power: PowerStates;
  readonly directory: Directory;
  readonly link: Link;
  readonly signer: HubSigner;
  readonly log: Logger;
}): WatchLists {
  const { power, directory, link, signer, log } = options;
  const dirty = new Set<string>();
  const published = new Map<string, string>();
  let version = 0;
  let timer: NodeJS.Timeout | undefined;
  let publishing: Promise<void> = Promise.resolve();

  function mark(agentIds: Iterable<string>): void {
    for (const id of agentIds) dirty.add(id);
    timer ??= setTimeout(() => {
      timer = undefined;
      publishing = publishing.then(publishDirty);
    }, GATHER_MS);
  }

  async function publishDirty(): Promise<void> {
    const ids = [...dirty];
    dirty.clear();
    if (link.isAway) return; // all are published at the next connect
    for (const id of ids) {
      try {
        await publishList(id);
      } catch (error) {
        log.warn({ err: error, agent: id }, "a watch list could not be published");
      }
    }
  }

  async function publishList(agentId: string): Promise<void> {
    const agent = directory.agents.byId(agentId);
    if (!agent) return void published.delete(agentId);
    // in one order, so that a list is the same as long as its devices are
    const watched = power.watchedBy(agentId).toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const devices = fitting(watched.map(watchedDevice));
    if (watched.length > devices.length)
      log.warn({ agent: agent.key, devices: watched.length }, "an agent has more devices than it can watch");
    const content = JSON.stringify(devices);
    if (published.get(agentId) === content) return;
    const topic = topics.agentWatch.for(agent.key);
    const now = Date.now();
    version = Math.max(version + 1, now); // rises across restarts of the hub, too
    const list: WatchList = { type: "watch", aud: topic, version, iat: now / 1_000, devices };
    await link.publish(topic, signer.sign(list), topics.agentWatch.options);
    published.set(agentId, content);
  }

  power.onWatchersChanged(mark);
  return {
    publishAll: () => {
      published.clear();
      mark([...directory.agents].map((agent) => agent.id));
    },
    close: async () => {
      clearTimeout(timer);
      await Promise.race([publishing, delay(FAREWELL_MS, undefined, { ref: false })]);
    },
  };
}

/** As many devices as one packet takes. */
function fitting(devices: readonly WatchedDevice[]): WatchedDevice[] {
  let left = MAX_SIGNED_BYTES - 1_024; // for the other claims
  return devices.slice(0, MAX_WATCHED_DEVICES).filter((device) => (left -= JSON.stringify(device).length + 1) > 0);
}

function watchedDevice({ key, mac, address, watch }: DirectoryDevice): WatchedDevice {
  const { icmp, arp, tcpPorts, intervalSeconds } = watch;
  return WatchList.shape.devices.element.parse({ device: key, mac, address, icmp, arp, tcpPorts, intervalSeconds });
}
