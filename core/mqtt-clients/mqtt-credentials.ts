import type { EntityManager } from "@mikro-orm/postgresql";
import type { IntegrationPrincipal } from "#contracts/principal.ts";
import { equalHashes, hashToken } from "../kernel/tokens.ts";
import type { Directory } from "../members/directory.ts";
import { MqttClient } from "./mqtt-client.entity.ts";

interface Credential {
  readonly passwordHash: string;
  /** Null where it is older than the column. */
  readonly mosquittoHash: string | null;
  readonly principal: IntegrationPrincipal;
}

/** The integrations' MQTT credentials in memory. A principal stays the same object, so a change of its rights takes effect at once. */
export class MqttCredentials {
  readonly #byUsername = new Map<string, Credential>();
  readonly #directory: Directory;
  readonly #listeners: (() => void)[] = [];

  constructor(directory: Directory) {
    this.#directory = directory;
    directory.onChange((change) => {
      if (change.type === "cluster" && change.before && !change.after) this.#clusterGone(change.before.key);
    });
  }

  all(): Iterable<Credential> {
    return this.#byUsername.values();
  }

  /** Calls the listener when a credential is made, changed or revoked. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  byId(id: string): IntegrationPrincipal | undefined {
    return this.#byUsername.values().find(({ principal }) => principal.id === id)?.principal;
  }

  byUsername(username: string): IntegrationPrincipal | undefined {
    return this.#byUsername.get(username)?.principal;
  }

  put({ id, site, username, passwordHash, mosquittoHash = null, permissions, clusterIds }: MqttClient): void {
    const rights = { permissions: new Set(permissions), clusters: this.#clusterKeys(clusterIds ?? null) };
    const known = this.#byUsername.get(username);
    const principal: IntegrationPrincipal = { type: "integration", id, username, siteId: site.id, ...rights };
    if (known) Object.assign(known.principal, rights);
    else this.#byUsername.set(username, { passwordHash, mosquittoHash, principal });
    this.#tell();
  }

  remove(username: string): void {
    this.#byUsername.delete(username);
    this.#tell();
  }

  /** Undefined when nobody has this user name; null when the password is wrong. */
  authenticate(username: string, password: Buffer): IntegrationPrincipal | null | undefined {
    const credential = this.#byUsername.get(username);
    if (!credential) return undefined;
    return equalHashes(credential.passwordHash, hashToken(password)) ? credential.principal : null;
  }

  /** Its key is free for another cluster, on which nobody has given any right. */
  #clusterGone(key: string): void {
    for (const { principal } of this.#byUsername.values())
      if (principal.clusters?.has(key))
        principal.clusters = new Set([...principal.clusters].filter((one) => one !== key));
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** A cluster's key never changes. */
  #clusterKeys(clusterIds: readonly string[] | null): ReadonlySet<string> | null {
    return clusterIds && new Set(clusterIds.flatMap((id) => this.#directory.clusters.byId(id)?.key ?? []));
  }
}

/**
 * Reads all credentials anew: one may have been made, changed or revoked without anybody being told.
 *
 * @returns the principals that are gone.
 */
export async function refreshMqttCredentials(
  em: EntityManager,
  { credentials, directory }: { credentials: MqttCredentials; directory: Directory },
): Promise<string[]> {
  return await directory.inTurn(async () => {
    const rows = await em.find(MqttClient, {}, { filters: { site: false } });
    const usernames = new Set(rows.map((row) => row.username));
    const gone = [...credentials.all()].flatMap(({ principal }) =>
      usernames.has(principal.username) ? [] : [principal],
    );
    for (const { username } of gone) credentials.remove(username);
    for (const row of rows) credentials.put(row);
    return gone.map(({ id }) => id);
  });
}

/** Reads the credentials of all sites once, at the start. */
export async function loadMqttCredentials(em: EntityManager, directory: Directory): Promise<MqttCredentials> {
  const credentials = new MqttCredentials(directory);
  for (const row of await em.find(MqttClient, {}, { filters: { site: false } })) credentials.put(row);
  return credentials;
}
