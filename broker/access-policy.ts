import type { MqttCredentials, Principal } from "#contracts/principal.ts";

export type Authentication =
  | { readonly ok: true; readonly principal: Principal }
  /** `unavailable` where nobody can tell right now: clients may try again, Home Assistant does not ask for a new password. */
  | { readonly ok: false; readonly reason: "bad-credentials" | "unavailable" };

/** What a client was not allowed to do. The topic is without base where it stands under it. */
export interface AccessRefusal {
  readonly username: string;
  readonly action: "publish" | "subscribe" | "will" | "receive";
  readonly topic: string;
  readonly reason: string;
}

export interface ClientConnection {
  readonly clientId: string;
  readonly address: string | null;
  readonly protocolVersion: 3 | 4 | 5;
}

/** What the broker asks the hub. All but `authenticate` is called on the way of a message: no I/O, no string building. */
export interface AccessPolicy {
  authenticate(credentials: MqttCredentials): Authentication | Promise<Authentication>;
  /** The cluster that a device is in (`unassigned…` for none); undefined for a key that nobody has. */
  clusterOfDevice(device: string): string | undefined;
  clusterOfAgent(agent: string): string | undefined;
  connected(principal: Principal, connection: ClientConnection): void;
  disconnected(principal: Principal, connection: ClientConnection): void;
  refused(refusal: AccessRefusal): void;
}
