import { networkInterfaces } from "node:os";
import type { Logger } from "pino";
import type { Place } from "../broker/access-policy.ts";
import { SEND_DISCOVERY } from "../ha-discovery/components/hub.ts";
import { DEFAULT_TIMING, type DiscoveryTiming, startDiscovery } from "../ha-discovery/main.ts";
import type { RetainedStates } from "../ha-discovery/hub.ts";
import { refOf } from "../ha-discovery/object-id.ts";
import type { HomeAssistantAnswer } from "#contracts/api/home-assistant.ts";
import type { Actor } from "#contracts/permissions.ts";
import type { Accounts } from "./auth/accounts.ts";
import type { Config } from "./config.ts";
import type { Announcer } from "./discovery/announcer.ts";
import { DiscoveredThings } from "./discovery/discovered-things.ts";
import { hideFromHomeAssistant } from "./discovery/discovery.service.ts";
import { pageAddress } from "./discovery/page-address.rules.ts";
import type { WaysDownOf } from "./discovery/shown-things.ts";
import { loadPublishedConfigs } from "./discovery/published-configs.ts";
import type { Database } from "./kernel/database.ts";
import { HubError } from "./kernel/errors.ts";
import type { Link, Sender } from "./kernel/link.ts";
import type { Trail } from "./kernel/trail.ts";
import type { MembersContext } from "./members/members.service.ts";
import type { Directory } from "./members/directory.ts";
import type { Verb } from "./requests/requests.messages.ts";
import type { Schedules } from "./schedules/schedules.ts";
import type { Site } from "./sites/site.entity.ts";
import { VERSION } from "./version.ts";

export interface HomeAssistantOptions {
  readonly config: Config;
  /** The default site. Its row outlives everything else, so its id stands for the hub. */
  readonly site: Site;
  readonly database: Database;
  /** The hub itself as it changes members of a site. */
  readonly membersOf: (siteId: string) => MembersContext;
  readonly accounts: Accounts;
  /** The audit log under the name of an MQTT client. */
  readonly trailOf: (sender: Sender) => Trail;
  readonly directory: Directory;
  readonly schedules: Schedules;
  readonly link: Link;
  readonly states: RetainedStates;
  readonly waysDownOf: WaysDownOf;
  readonly timing: Partial<DiscoveryTiming> | undefined;
  readonly log: Logger;
}

/** What a person did in Home Assistant, its credential may; the hub carries it out. */
const HUB: Actor = { userId: "", role: "superuser", permissions: null };

/** Connects the hub with `ha-discovery/`, which knows nothing of it. Call it before the link connects. */
export async function startHomeAssistant(options: HomeAssistantOptions) {
  const { config, site, database, membersOf, accounts, directory, schedules, link, states, waysDownOf, log } = options;
  const hub = { type: "hub", id: site.id, siteId: site.id, name: "PowerBeacon", version: VERSION } as const;
  const hubItself: Place = { key: null, siteId: hub.siteId };
  const things = new DiscoveredThings({ directory, schedules, hub, waysDownOf }, (ref, sender) => {
    const { siteId } = sender;
    const context = { ...membersOf(siteId), siteId, schedules, trail: options.trailOf(sender), accounts, actor: HUB };
    return hideFromHomeAssistant(context, ref, new Date());
  });
  const published = await loadPublishedConfigs(database.fork(), database, log);
  const discovery = startDiscovery({
    enabled: config.mqtt.discovery,
    prefix: config.mqtt.discoveryPrefix,
    format: config.mqtt.discoveryFormat,
    link: { ...link, ...link.outside },
    things,
    published,
    states,
    surroundings: {
      hub,
      version: VERSION,
      fullName: (topic) => link.fullName(topic),
      pageAddress: pageAddress(config.http, networkInterfaces()),
    },
    timing: { ...DEFAULT_TIMING, ...options.timing },
    log,
  });
  const sendDiscovery: Verb<"send-discovery"> = async (_fields, { siteId }) => {
    const sent = await discovery.publishAll(siteId);
    if (!sent) throw new HubError("DISCOVERY_OFF", "Discovery is off; HA_DISCOVERY=on turns it on");
    return { configs: sent.configs };
  };
  return {
    /** What the HTTP API shows of it. */
    context: {
      directory,
      schedules,
      hub,
      waysDownOf,
      announcer: discovery satisfies Announcer,
      settings: settingsOf(config),
      isReached: () => link.isConnected,
    },
    verbs: { [SEND_DISCOVERY]: sendDiscovery },
    /** The cluster that a discovery message is about, or the hub; undefined when it concerns nothing of ours. */
    clusterOf: (objectId: string): Place | undefined => {
      const ref = refOf(objectId);
      if (ref?.type === "hub") return ref.id === hub.id ? hubItself : undefined;
      if (ref?.type === "schedule") {
        const siteId = things.siteOfSchedule(ref.id);
        return siteId === undefined ? undefined : { key: null, siteId };
      }
      return ref && things.clusterOf(ref);
    },
    close: async () => {
      discovery.close();
      await published.close();
    },
  };
}

function settingsOf({ mqtt, homeAssistant }: Config): HomeAssistantAnswer["settings"] {
  const broker = homeAssistant.broker ? "bridge" : mqtt.outer ? "own" : "embedded";
  return { enabled: mqtt.discovery, prefix: mqtt.discoveryPrefix, format: mqtt.discoveryFormat, broker };
}
