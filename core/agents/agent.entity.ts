import { defineEntity, p } from "@mikro-orm/core";
import type { AgentCapability, Heartbeat, Machine, NetworkInterface, OperatingSystem } from "#contracts/agent.ts";
import { Cluster } from "../clusters/cluster.entity.ts";
import { sameSite, siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { Site } from "../sites/site.entity.ts";

/** Our process on a LAN. Its credential is a high-entropy token, kept as its SHA-256. */
const AgentSchema = defineEntity({
  name: "Agent",
  tableName: "agent",
  properties: {
    id: p.uuid().primary(),
    site: () => p.manyToOne(Site).ref(),
    cluster: () => p.manyToOne(Cluster).ref(),
    key: p.string().length(63).unique(),
    name: p.string().length(80),
    hostname: p.string().length(253),
    os: p.string().length(16).$type<OperatingSystem>(),
    arch: p.string().length(32),
    version: p.string().length(40),
    interfaces: p.json<NetworkInterface[]>(),
    capabilities: p.array().$type<AgentCapability[]>().columnType("text[]"),
    /** Null: an agent of an earlier version. */
    machine: p.json<Machine>().nullable(),
    showInHomeAssistant: p.boolean().default(true),
    tokenHash: p.string().length(64).hidden(),
    /** The token as Mosquitto keeps passwords (`$7$…`), for a broker of the operator's own. Null where it joined before there was one. */
    mosquittoHash: p.string().length(200).nullable().hidden(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
  filters: siteFilter,
  ...sitePolicies("agent"),
  indexes: [{ properties: ["site", "name"] }, { properties: ["cluster"] }],
  triggers: [
    sameSite("agent", { cluster_id: "cluster" }),
    {
      name: "agent_keeps_cluster_of_devices",
      timing: "after",
      events: ["update"],
      forEach: "row",
      body: `if new.cluster_id <> old.cluster_id and exists (
        select from device_agent l join device d on d.id = l.device_id where l.agent_id = new.id and d.cluster_id <> new.cluster_id
      ) then raise exception 'a device''s agents are in the device''s cluster' using errcode = 'check_violation', constraint = 'same_cluster'; end if;
      return new;`,
    },
  ],
});

export class Agent extends AgentSchema.class {}
AgentSchema.setClass(Agent);

/** The newest heartbeat of each agent: written in batches, many times a minute, on a row without an index on anything that changes. */
const AgentHeartbeatSchema = defineEntity({
  name: "AgentHeartbeat",
  tableName: "agent_heartbeat",
  properties: {
    agentId: p.uuid().primary(),
    siteId: p.uuid(),
    at: p.datetime(),
    heartbeat: p.json<Heartbeat>(),
  },
  ...sitePolicies("agent_heartbeat"),
  indexes: [{ properties: ["siteId"] }],
});

export class AgentHeartbeat extends AgentHeartbeatSchema.class {}
AgentHeartbeatSchema.setClass(AgentHeartbeat);
