import type { Key } from "./key.ts";

/** What a named MQTT credential may be given. */
export const MQTT_PERMISSIONS = ["read", "wake", "power", "discovery"] as const;
export type MqttPermission = (typeof MQTT_PERMISSIONS)[number];

/**
 * Whom the broker let in. Its rights are read at every message, so a change made to these fields takes effect at once.
 */
export type Principal = HubPrincipal | AgentPrincipal | IntegrationPrincipal;

export interface HubPrincipal {
  readonly type: "hub";
  readonly id: string;
  readonly username: string;
}

export interface AgentPrincipal {
  readonly type: "agent";
  /** The agent's row. */
  readonly id: string;
  readonly username: string;
  readonly key: Key;
  /** The cluster it is in; the unassigned cluster of its site when it is in none. */
  cluster: Key;
}

export interface IntegrationPrincipal {
  readonly type: "integration";
  /** The credential's row. */
  readonly id: string;
  readonly username: string;
  permissions: ReadonlySet<MqttPermission>;
  /** The keys of the clusters it may see and act on; null means all of its site. */
  clusters: ReadonlySet<string> | null;
}

/** What a client shows when it connects. */
export interface MqttCredentials {
  readonly clientId: string;
  readonly username: string | null;
  readonly password: Buffer | null;
  readonly address: string | null;
  readonly protocolVersion: 3 | 4 | 5;
}
