import type { MqttPermission } from "#contracts/principal.ts";

/** Everybody who may come to a broker that goes by files, as plain values. */
export interface BrokerClients {
  readonly baseTopic: string;
  readonly discoveryPrefix: string;
  /** Null where the hub shows no user name. */
  readonly hub: FileClient | null;
  readonly agents: readonly AgentClient[];
  readonly integrations: readonly IntegrationClient[];
}

export interface FileClient {
  readonly username: string;
  /** `$7$…`; null where the hub cannot know the password any more. */
  readonly mosquittoHash: string | null;
}

export interface AgentClient extends FileClient {
  readonly key: string;
  /** The key of the cluster it is in, which may be the one that stands for none. */
  readonly cluster: string;
}

export interface IntegrationClient extends FileClient {
  readonly permissions: ReadonlySet<MqttPermission>;
  readonly reach: Reach;
}

/** What an integration reaches: all there is and will be, or these things alone. */
export type Reach = "everything" | ReachedThings;

export interface ReachedThings {
  /** Keys. */
  readonly clusters: readonly string[];
  readonly devices: readonly string[];
  readonly agents: readonly string[];
  readonly schedules: readonly string[];
  /** The discovery topics of these things; a level may be a wildcard. */
  readonly configs: readonly string[];
}

/**
 * Why a user name cannot stand in Mosquitto's files, as a sentence; null when it can. Agents' and integrations' are made by
 * the hub and always can; the hub's own is the operator's choice.
 */
export function problemOfUsername(username: string): string | null {
  if (username === "" || username !== username.trim()) return "a user name is empty or begins or ends with a space";
  // oxlint-disable-next-line no-control-regex
  if (/[:\u0000-\u001f\u007f]/.test(username)) return "a user name holds a colon or a control character";
  if (username.startsWith("#")) return "a user name begins with #";
  return null;
}
