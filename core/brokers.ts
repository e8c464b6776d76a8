import type { Logger } from "pino";
import type { Broker } from "../broker/broker.ts";
import type { DiscoveryRef } from "#contracts/discovery.ts";
import { startBridge } from "./bridge/bridge.ts";
import type { Config } from "./config.ts";
import { type EmbeddedBrokerOptions, openBroker } from "./embedded-broker.ts";
import type { BrokerAddress } from "./kernel/broker-client.ts";
import { type Link, createLink } from "./kernel/link.ts";
import { type KnownClients, hubClientId, keepBrokerFiles, openBrokerDoor } from "./outer-broker.ts";
import type { BrokerDoor } from "./own-broker/broker-door.ts";

/** How the hub reaches its clients. */
export interface Brokers {
  /** Null where the broker is somebody else's. */
  readonly embedded: Broker | null;
  readonly link: Link;
  /** Where Home Assistant is; the hub's own link unless it keeps a broker of its own. */
  readonly homeLink: Link;
  /** Answers an outer broker that asks who may do what. */
  readonly door: BrokerDoor;
  /** Calls the handler with things that some clients may read only now; what was said of them before did not reach those. */
  onNewlyReadable(handler: (refs: readonly DiscoveryRef[]) => void): void;
  /** Ends the connections of an agent, a credential or a token. */
  disconnect(principalId: string): void;
  /** Connects the links, when everybody has said what they listen to. */
  connect(): Promise<void>;
  /** Says goodbye for the hub and its things. */
  closeLinks(): Promise<void>;
  /** Ends the embedded broker. */
  close(): Promise<void>;
}

/** Opens the embedded broker, or goes to the one that the settings name. @throws StartError with a sentence for the operator. */
export async function openBrokers(config: Config, options: EmbeddedBrokerOptions, log: Logger): Promise<Brokers> {
  const { baseTopic } = config.mqtt;
  const { directory, schedules, agents, clients } = options;
  const { embedded, own } = await openOwn(config, options);
  const known: KnownClients = { directory, schedules, agents, integrations: clients };
  const files = await keepBrokerFiles(config, { ...known, log });
  const bridgeLog = log.child({ part: "bridge" });
  const { broker: home } = config.homeAssistant;
  const link = createLink({ baseTopic, broker: own, ...idOn(own, config), log });
  const theirs: BrokerAddress | null = home && { type: "outer", ...home };
  const other = theirs && createLink({ baseTopic, broker: theirs, ...idOn(theirs, config), log: bridgeLog });
  let bridge: Awaited<ReturnType<typeof startBridge>> | null = null;
  return {
    embedded,
    link,
    homeLink: other ?? link,
    door: openBrokerDoor(config, options),
    onNewlyReadable: (handler) => files.onReload(handler),
    disconnect: (principalId) => embedded?.disconnect(principalId),
    connect: async () => {
      await link.connect();
      if (!other) return;
      bridge = await startBridge({ baseTopic, own, other, log: bridgeLog });
      await other.connect();
    },
    closeLinks: async () => {
      await bridge?.close();
      await other?.close();
      await link.close();
    },
    close: async () => {
      files.close();
      await embedded?.close();
    },
  };
}

function idOn({ type }: BrokerAddress, config: Config): { clientId?: string } {
  return type === "embedded" ? {} : { clientId: hubClientId(config) };
}

async function openOwn(
  config: Config,
  options: EmbeddedBrokerOptions,
): Promise<{ embedded: Broker | null; own: BrokerAddress }> {
  const { outer } = config.mqtt;
  if (outer) return { embedded: null, own: { type: "outer", ...outer } };
  const embedded = await openBroker(config, options);
  return { embedded, own: { type: "embedded", open: () => embedded.connectHub() } };
}
