import { randomUUID } from "node:crypto";
import type { EntityManager } from "@mikro-orm/postgresql";
import type { MqttClientAnswer, MqttClientChange, MqttClientCreate } from "#contracts/api/mqtt-clients.ts";
import { HubError } from "../kernel/errors.ts";
import { freeKey, keyFromName } from "../kernel/keys.ts";
import { hashToken, randomSecret } from "../kernel/tokens.ts";
import type { Directory } from "../members/directory.ts";
import { Site } from "../sites/site.entity.ts";
import { MqttClient } from "./mqtt-client.entity.ts";
import type { MqttCredentials } from "./mqtt-credentials.ts";

export interface MqttClientContext {
  readonly em: EntityManager;
  readonly directory: Directory;
  readonly credentials: MqttCredentials;
  readonly siteId: string;
}

/** Makes a named credential. The password is a high-entropy token and leaves the hub this once. @throws HubError NOT_FOUND (clusterIds) */
export function createMqttClient(
  context: MqttClientContext,
  input: MqttClientCreate,
  now: Date,
): Promise<{ row: MqttClient; password: string }> {
  return context.directory.inTurn(async () => {
    const { em, credentials, siteId } = context;
    checkClusters(context, input.clusterIds);
    const password = `pbm_${randomSecret()}${randomSecret()}`;
    const row = em.create(MqttClient, {
      id: randomUUID(),
      site: em.getReference(Site, siteId),
      name: input.name,
      username: freeKey(keyFromName(input.name, "client"), (username) => credentials.isTaken(username)),
      passwordHash: hashToken(password),
      permissions: input.permissions,
      clusterIds: input.clusterIds ?? null,
      createdAt: now,
      updatedAt: now,
    });
    await em.flush();
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
    const row = await findMqttClient(context.em, id);
    checkClusters(context, change.clusterIds);
    if (change.name !== undefined) row.name = change.name;
    if (change.permissions !== undefined) row.permissions = change.permissions;
    if (change.clusterIds !== undefined) row.clusterIds = change.clusterIds;
    row.updatedAt = now;
    await context.em.flush();
    context.credentials.put(row);
    return row;
  });
}

/** Revokes a credential and ends its connections. @throws HubError NOT_FOUND */
export function deleteMqttClient(
  context: MqttClientContext,
  id: string,
  disconnect: (principalId: string) => void,
): Promise<void> {
  return context.directory.inTurn(async () => {
    const row = await findMqttClient(context.em, id);
    context.em.remove(row);
    await context.em.flush();
    context.credentials.remove(row.username);
    disconnect(id);
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

export function mqttClientAnswer(row: MqttClient, connections: number): MqttClientAnswer {
  return {
    id: row.id,
    name: row.name,
    username: row.username,
    permissions: row.permissions,
    clusterIds: row.clusterIds ?? null,
    connections,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
