import type { MqttCredentials, Principal } from "#contracts/principal.ts";

export type Authentication =
  | { readonly ok: true; readonly principal: Principal }
  /** `unavailable` where nobody can tell right now: clients may try again, Home Assistant does not ask for a new password. */
  | { readonly ok: false; readonly reason: "bad-credentials" | "unavailable" };

/** What a client was not allowed to do. The topic is without base where it stands under it. */
export interface AccessRefusal {
  readonly principal: Principal;
  readonly address: string | null;
  readonly action: "publish" | "subscribe" | "will" | "receive";
  readonly topic: string;
  readonly reason: string;
}

export interface ClientConnection {
  readonly clientId: string;
  readonly address: string | null;
  readonly protocolVersion: 3 | 4 | 5;
  /** The address of a connection with the same identifier that had to make way for this one; null where there was none. */
  readonly takenFrom: string | null;
}

/** A cluster, as far as access goes. */
export interface Place {
  /** Null for the hub itself, of which every site reads. */
  readonly key: string | null;
  readonly siteId: string;
}

/** Which cluster a thing is in. Asked for every message, so an answer may change at any time; undefined for what nobody has. */
export interface PlaceDirectory {
  cluster(key: string): Place | undefined;
  /** The one that stands for "in no cluster" where the device is in none. */
  clusterOfDevice(device: string): Place | undefined;
  clusterOfAgent(agent: string): Place | undefined;
  /** The site that a schedule is of: it may be about several clusters, so it lies in none. */
  siteOfSchedule?(schedule: string): Place | undefined;
  /** Of the thing with this discovery object id. Without it, only clients with all clusters read discovery. */
  clusterOfDiscovery?(objectId: string): Place | undefined;
}

/** What the broker asks the hub. All but `authenticate` is called on the way of a message: no I/O, no string building. */
export interface AccessPolicy extends PlaceDirectory {
  authenticate(credentials: MqttCredentials): Authentication | Promise<Authentication>;
  /** The one with this id, for what was kept of it over a restart; undefined where it has no credential any more. */
  principal(id: string): Principal | undefined;
  /** `connection` is one object from `connected` to `disconnected`. */
  connected(principal: Principal, connection: ClientConnection): void;
  disconnected(principal: Principal, connection: ClientConnection): void;
  refused(refusal: AccessRefusal): void;
}
