import type { Key } from "./key.ts";
import type { Permission } from "./permissions.ts";

/** What a named MQTT credential may be given. */
export const MQTT_PERMISSIONS = ["read", "wake", "power", "discovery"] as const;
export type MqttPermission = (typeof MQTT_PERMISSIONS)[number];

/**
 * Whom the broker let in. Its rights are read at every message, so a change made to these fields takes effect at once.
 */
export type Principal = HubPrincipal | AgentPrincipal | IntegrationPrincipal | PersonPrincipal;

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
  readonly siteId: string;
  permissions: ReadonlySet<MqttPermission>;
  /** The keys of the clusters it may see and act on; null means all of its site. */
  clusters: ReadonlySet<string> | null;
}

/** Begins the MQTT user name of a person. No credential of an agent or an integration begins so, and no account's own name. */
export const PERSON_MARK = "~";

/** A person with a personal token. Its rights are those of the account over HTTP, asked at every message. */
export interface PersonPrincipal {
  readonly type: "person";
  /** The token's row. */
  readonly id: string;
  /** The account's user name behind `PERSON_MARK`. */
  readonly username: string;
  readonly siteId: string;
  readonly may: (permission: Permission) => boolean;
  /** Whether it may wake this device or power it off, or at least one device of this cluster; or change this schedule. */
  readonly mayAct: (thing: "device" | "cluster" | "schedule", key: string) => boolean;
}

/** What a client shows when it connects. */
export interface MqttCredentials {
  readonly clientId: string;
  readonly username: string | null;
  readonly password: Buffer | null;
  readonly address: string | null;
  readonly protocolVersion: 3 | 4 | 5;
}
