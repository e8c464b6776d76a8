import { defineEntity, p } from "@mikro-orm/core";
import type { OperatingSystem } from "#contracts/agent.ts";
import type { OffAction } from "#contracts/power-action.ts";
import { Agent } from "../agents/agent.entity.ts";
import { Cluster } from "../clusters/cluster.entity.ts";
import { sameSite, siteFilter, sitePolicies } from "../kernel/site-filter.ts";
import { User } from "../auth/user.entity.ts";
import { Site } from "../sites/site.entity.ts";

/** A machine that can be woken. */
const DeviceSchema = defineEntity({
  name: "Device",
  tableName: "device",
  properties: {
    id: p.uuid().primary(),
    site: () => p.manyToOne(Site).ref(),
    cluster: () => p.manyToOne(Cluster).ref(),
    key: p.string().length(63).unique(),
    name: p.string().length(80),
    mac: p.string().length(17),
    address: p.string().length(253).nullable(),
    os: p.string().length(16).$type<OperatingSystem>(),
    enabled: p.boolean(),
    showInHomeAssistant: p.boolean().default(true),
    description: p.text().nullable(),
    tags: p.array().columnType("text[]"),
    secureOn: p.string().length(17).nullable(),
    wakeAddresses: p.array().columnType("text[]"),
    wakePorts: p.array().$type<number[]>().columnType("int[]"),
    wakeWindowSeconds: p.integer().nullable(),
    watchIcmp: p.boolean(),
    watchArp: p.boolean(),
    watchTcpPorts: p.array().$type<number[]>().columnType("int[]"),
    watchIntervalSeconds: p.integer(),
    /** The agent on this very machine, where a person chose it. */
    ownAgent: () => p.manyToOne(Agent).ref().nullable().deleteRule("set null"),
    offAction: p.string().length(16).$type<OffAction>().default("shutdown"),
    offCountdownSeconds: p.integer().default(30),
    offGraceSeconds: p.integer().nullable(),
    offAfterLease: p.boolean().default(false),
    /** A user; null = nobody's. */
    owner: () => p.manyToOne(User).ref().nullable().deleteRule("set null").index(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
  filters: siteFilter,
  ...sitePolicies("device"),
  uniques: [
    { properties: ["site", "mac"], name: "device_mac_unique" },
    // an agent runs on one machine
    { properties: ["ownAgent"], name: "device_own_agent_unique" },
  ],
  indexes: [{ properties: ["site", "name"] }, { properties: ["cluster"] }],
  triggers: [
    sameSite("device", { cluster_id: "cluster" }),
    {
      name: "device_keeps_cluster_of_agents",
      timing: "after",
      events: ["update"],
      forEach: "row",
      body: `if new.cluster_id <> old.cluster_id and exists (
        select from device_agent l join agent a on a.id = l.agent_id where l.device_id = new.id and a.cluster_id <> new.cluster_id
      ) then raise exception 'a device''s agents are in the device''s cluster' using errcode = 'check_violation', constraint = 'same_cluster'; end if;
      return new;`,
    },
  ],
});

export class Device extends DeviceSchema.class {}
DeviceSchema.setClass(Device);
