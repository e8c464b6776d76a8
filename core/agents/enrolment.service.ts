import { randomUUID } from "node:crypto";
import type { EntityManager } from "@mikro-orm/postgresql";
import type { EnrolmentAnswer, EnrolmentCreate } from "#contracts/api/agents.ts";
import { type EnrolAnswer, type EnrolGrant, type EnrolRequest, formatJoinCode } from "#contracts/enrolment.ts";
import { Key } from "#contracts/key.ts";
import { Cluster } from "../clusters/cluster.entity.ts";
import { HubError } from "../kernel/errors.ts";
import type { Database } from "../kernel/database.ts";
import type { Trail } from "../kernel/trail.ts";
import type { HubSigner } from "../kernel/hub-key.ts";
import { freeKey, keyFromName } from "../kernel/keys.ts";
import { mosquittoHash } from "../kernel/mosquitto-password.ts";
import { hashToken, randomSecret } from "../kernel/tokens.ts";
import type { Directory } from "../members/directory.ts";
import { changeMembers, clusterFor } from "../members/members.service.ts";
import { Site } from "../sites/site.entity.ts";
import { Agent } from "./agent.entity.ts";
import type { AgentCredentials } from "./credentials.ts";
import { Enrolment } from "./enrolment.entity.ts";

export interface EnrolmentContext {
  /** Bound to the site. */
  readonly em: EntityManager;
  readonly trail: Trail;
}

/** Makes a join code. It carries the fingerprint of the hub's key, so that nobody between can pose as the hub. */
export async function createEnrolment(
  { em, trail }: EnrolmentContext,
  input: EnrolmentCreate,
  by: { username: string; fingerprint: string },
  now: Date,
): Promise<{ enrolment: Enrolment; code: string }> {
  const secret = randomSecret();
  const enrolment = await em.transactional(async (em) => {
    const cluster = await clusterFor(em, input.clusterId);
    const enrolment = em.create(Enrolment, {
      id: randomUUID(),
      site: cluster.site,
      cluster,
      secretHash: hashToken(secret),
      usesLeft: input.uses,
      expiresAt: new Date(now.getTime() + input.expiresInMinutes * 60_000),
      createdBy: by.username,
      createdAt: now,
    });
    await em.flush();
    const details = { cluster: cluster.key, uses: input.uses, expiresInMinutes: input.expiresInMinutes };
    await trail.write(em, { action: "enrolment.create", target: targetOf(enrolment.id), details });
    return enrolment;
  });
  return { enrolment, code: formatJoinCode({ secret, fingerprint: by.fingerprint }) };
}

/** @throws HubError NOT_FOUND */
export async function deleteEnrolment({ em, trail }: EnrolmentContext, id: string): Promise<void> {
  await em.transactional(async (em) => {
    if ((await em.nativeDelete(Enrolment, { id })) === 0) throw new HubError("NOT_FOUND", "There is no such join code");
    await trail.write(em, { action: "enrolment.delete", target: targetOf(id) });
  });
}

function targetOf(id: string) {
  return { type: "enrolment", id, name: null };
}

export interface EnrolContext {
  readonly database: Database;
  readonly trail: Trail;
  readonly directory: Directory;
  readonly credentials: AgentCredentials;
  readonly signer: HubSigner;
  readonly baseTopic: string;
  readonly mqttUrl: string | null;
  /** Who may have signed the broker's certificate (PEM); null = those that agents know. */
  readonly mqttCa: string | null;
}

/**
 * Lets an agent in: uses up the join code, makes the agent's row and its credential, and signs the grant.
 *
 * Each join makes a new agent with a token of its own; an old token is never given out again.
 * @throws HubError BAD_JOIN_CODE, the same for a code that is unknown, used up or expired.
 */
export async function enrolAgent(context: EnrolContext, request: EnrolRequest, now: Date): Promise<EnrolAnswer> {
  const token = `pba_${randomSecret()}${randomSecret()}`;
  const { database, directory, trail } = context;
  const secretHash = hashToken(request.secret);
  const hashes = { tokenHash: hashToken(token), mosquittoHash: await mosquittoHash(token) };
  // nobody is logged in here: the secret finds its site, and the rest happens inside of that
  const siteId = await siteOf(database.fork(), secretHash);
  const own = { em: database.bound(siteId), directory, trail: trail.in(siteId) };
  const agent = await changeMembers(own, async (em) => {
    const enrolment = await useUp(em, secretHash, now);
    const name = request.name ?? (request.inventory.hostname.slice(0, 80) || "Agent");
    const wanted = keyFromName(name, "agent");
    const agent = em.create(Agent, {
      id: randomUUID(),
      site: em.getReference(Site, enrolment.site.id),
      cluster: em.getReference(Cluster, enrolment.cluster.id),
      key: freeKey(wanted, (key) => directory.agents.byKey(key) !== undefined),
      name,
      ...request.inventory,
      ...hashes,
      createdAt: now,
      updatedAt: now,
    });
    await em.flush();
    const target = { type: "agent", id: agent.id, name: agent.key };
    const event = { action: "agent.enrol", target, details: { enrolment: enrolment.id } } as const;
    return { result: agent, touched: { agents: [agent] }, event };
  });
  const entry = directory.agents.byId(agent.id);
  if (entry) context.credentials.add(entry, hashes);
  const grant: EnrolGrant = {
    type: "grant",
    nonce: request.nonce,
    agentId: agent.id,
    agent: Key.parse(agent.key),
    username: agent.id,
    password: token,
    baseTopic: context.baseTopic,
    mqttUrl: context.mqttUrl,
    mqttCa: context.mqttCa,
  };
  return { hubKey: context.signer.publicKey, grant: context.signer.sign(grant) };
}

/** The site of a join code. Of every site: with an entity manager of the hub itself. @throws HubError BAD_JOIN_CODE */
async function siteOf(em: EntityManager, secretHash: string): Promise<string> {
  const row = await em.findOne(Enrolment, { secretHash }, { filters: { site: false } });
  if (!row) throw badCode();
  return row.site.id;
}

/** One statement, so that two agents cannot share the last use. @throws HubError BAD_JOIN_CODE */
async function useUp(em: EntityManager, secretHash: string, now: Date): Promise<Enrolment> {
  const used = await em.execute(
    "update enrolment set uses_left = uses_left - 1 where secret_hash = ? and uses_left > 0 and expires_at > ? returning id",
    [secretHash, now],
  );
  const [row] = used as { id: string }[];
  if (!row) throw badCode();
  return await em.findOneOrFail(Enrolment, { id: row.id });
}

function badCode(): HubError {
  return new HubError("BAD_JOIN_CODE", "This join code is unknown, used up or expired", { field: "secret" });
}

export function enrolmentAnswer(row: Enrolment, directory: Directory): EnrolmentAnswer {
  const cluster = directory.clusters.byId(row.cluster.id);
  return {
    id: row.id,
    clusterId: !cluster || cluster.unassigned ? null : cluster.id,
    usesLeft: row.usesLeft,
    expiresAt: row.expiresAt.toISOString(),
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
  };
}
