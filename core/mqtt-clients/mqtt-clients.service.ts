import { randomUUID } from "node:crypto";
import type { EntityManager } from "@mikro-orm/postgresql";
import type { MqttClientAnswer, MqttClientChange, MqttClientCreate } from "#contracts/api/mqtt-clients.ts";
import { HubError } from "../kernel/errors.ts";
import { freeKey, keyFromName } from "../kernel/keys.ts";
import { mosquittoHash } from "../kernel/mosquitto-password.ts";
import { hashToken, randomSecret } from "../kernel/tokens.ts";
import type { Trail } from "../kernel/trail.ts";
import type { Directory } from "../members/directory.ts";
import { Site } from "../sites/site.entity.ts";
import type { ClientUses } from "./client-uses.ts";
import { MqttClient } from "./mqtt-client.entity.ts";
import type { MqttCredentials } from "./mqtt-credentials.ts";

export interface MqttClientContext {
  /** Bound to the site. */
  readonly em: EntityManager;
  readonly trail: Trail;
  readonly directory: Directory;
  readonly credentials: MqttCredentials;
  readonly siteId: string;
  /** What the hub calls itself on a broker that somebody else runs. */
  readonly hubUsername: string | null;
}

/** What the hub calls itself, and whoever publishes on a broker that does not tell. */
const NOBODYS_NAMES: ReadonlySet<string> = new Set(["hub", "mqtt"]);

/** Makes a named credential. The password is a high-entropy token and leaves the hub this once. @throws HubError NOT_FOUND (clusterIds) */
export function createMqttClient(
  context: MqttClientContext,
  input: MqttClientCreate,
  now: Date,
): Promise<{ row: MqttClient; password: string }> {
  return context.directory.inTurn(async () => {
    const { trail, directory, credentials, siteId } = context;
    checkClusters(context, input.clusterIds);
    const password = `pbm_${randomSecret()}${randomSecret()}`;
    const hashes = { passwordHash: hashToken(password), mosquittoHash: await mosquittoHash(password) };
    const isTaken = (username: string) =>
      NOBODYS_NAMES.has(username) ||
      username === context.hubUsername ||
      credentials.byUsername(username) !== undefined ||
      directory.agents.byId(username) !== undefined;
    const row = await context.em.transactional(async (em) => {
      const row = em.create(MqttClient, {
        id: randomUUID(),
        site: em.getReference(Site, siteId),
        name: input.name,
        username: freeKey(keyFromName(input.name, "client"), isTaken),
        ...hashes,
        permissions: input.permissions,
        clusterIds: input.clusterIds ?? null,
        createdAt: now,
        updatedAt: now,
      });
      await em.flush();
      const { permissions, clusterIds } = row;
      await trail.write(em, {
        action: "mqtt-client.create",
        target: targetOf(row),
        details: { permissions, clusterIds },
      });
      return row;
    });
    credentials.put(row);
    return { row, password };
  });
}

/** Rights that are taken away are gone with the next message. @throws HubError NOT_FOUND */
export function changeMqttClient(
  context: MqttClientContext,
  id: string,
  change: MqttClientChange,
  now: Date,
): Promise<MqttClient> {
  return context.directory.inTurn(async () => {
    checkClusters(context, change.clusterIds);
    const row = await context.em.transactional(async (em) => {
      const row = await findMqttClient(em, id);
      if (change.name !== undefined) row.name = change.name;
      if (change.permissions !== undefined) row.permissions = change.permissions;
      if (change.clusterIds !== undefined) row.clusterIds = change.clusterIds;
      row.updatedAt = now;
      await em.flush();
      await context.trail.write(em, { action: "mqtt-client.change", target: targetOf(row), details: { ...change } });
      return row;
    });
    context.credentials.put(row);
    return row;
  });
}

/** Revokes a credential and ends its connections. @throws HubError NOT_FOUND */
export function deleteMqttClient(context: MqttClientContext, id: string, disconnect: () => void): Promise<void> {
  return context.directory.inTurn(async () => {
    const username = await context.em.transactional(async (em) => {
      const row = await findMqttClient(em, id);
      em.remove(row);
      await em.flush();
      await context.trail.write(em, { action: "mqtt-client.delete", target: targetOf(row) });
      return row.username;
    });
    context.credentials.remove(username);
    disconnect();
  });
}

function targetOf({ id, name }: MqttClient) {
  return { type: "mqtt-client", id, name };
}

/** A site has few credentials, and fewer that read discovery. */
const MAX_READERS = 1_000;

/** The credentials of a site that may read what Home Assistant is told, and are connected now. @param em bound to the site. */
export async function readersOfDiscovery(
  em: EntityManager,
  uses: ClientUses,
): Promise<{ name: string; clientId: string; since: string }[]> {
  const rows = await em.find(MqttClient, {}, { orderBy: { name: "asc" }, limit: MAX_READERS });
  return rows.flatMap(({ id, name, permissions }) => {
    const connected = permissions.includes("discovery") ? uses.connectedAs(id) : undefined;
    return connected ? [{ name, clientId: connected.clientId, since: connected.since.toISOString() }] : [];
  });
}

export async function findMqttClient(em: EntityManager, id: string): Promise<MqttClient> {
  const row = await em.findOne(MqttClient, { id });
  if (!row) throw new HubError("NOT_FOUND", "There is no such MQTT client");
  return row;
}

function checkClusters(
  { directory, siteId }: MqttClientContext,
  clusterIds: readonly string[] | null | undefined,
): void {
  const unknown = clusterIds?.find((id) => directory.clusters.byId(id)?.siteId !== siteId);
  if (unknown !== undefined)
    throw new HubError("NOT_FOUND", `There is no cluster with the id ${unknown}`, { field: "clusterIds" });
}

/** @param uses what was seen since the hub started; the row tells what was before. */
export function mqttClientAnswer(row: MqttClient, uses: ClientUses, now: Date): MqttClientAnswer {
  const use = uses.of(row.id, now) ?? row;
  return {
    id: row.id,
    name: row.name,
    username: row.username,
    permissions: row.permissions,
    clusterIds: row.clusterIds ?? null,
    connections: uses.connectionsOf(row.id),
    lastSeenAt: use.lastSeenAt?.toISOString() ?? null,
    lastAddress: use.lastAddress ?? null,
    lastClientId: use.lastClientId ?? null,
    lastProtocol: use.lastProtocolVersion ? PROTOCOLS[use.lastProtocolVersion] : null,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

const PROTOCOLS = { 3: "3.1", 4: "3.1.1", 5: "5" } as const;
