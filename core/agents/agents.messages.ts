import type { Logger } from "pino";
import { Heartbeat, InventoryMessage } from "#contracts/agent.ts";
import { Availability } from "#contracts/power.ts";
import { topics } from "#contracts/topics.ts";
import type { HubSigner } from "../kernel/hub-key.ts";
import type { Link, LinkMessage } from "../kernel/link.ts";
import { parseJson } from "../kernel/parse.ts";
import type { Directory, DirectoryAgent } from "../members/directory.ts";
import type { MembersContext } from "../members/members.service.ts";
import { answerTime, takeInventory } from "./agents.service.ts";
import type { HeartbeatWatch } from "./heartbeat-watch.ts";
import type { HeartbeatWriter } from "./heartbeat-writer.ts";
import type { Presence } from "./presence.ts";

export interface AgentMessages {
  readonly link: Link;
  readonly directory: Directory;
  readonly presence: Presence;
  /** With an outer broker, whose word on agents is not the last. */
  readonly watch: HeartbeatWatch | null;
  readonly heartbeats: HeartbeatWriter;
  readonly signer: HubSigner;
  /** The hub itself as it changes members of a site. */
  readonly membersOf: (siteId: string) => MembersContext;
  readonly log: Logger;
}

/** What agents say of themselves: status, heartbeat, inventory. */
export function listenToAgents(context: AgentMessages): void {
  const { link, presence, watch, heartbeats, log } = context;

  link.on(topics.agentStatus, (message) => {
    const agent = senderOf(message);
    const status = Availability.safeParse(message.payload.toString());
    if (!agent || !status.success) return dropped(message, "neither online nor offline");
    if (watch) watch.status(agent.id, status.data);
    else presence.setStatus(agent.id, status.data, new Date());
  });

  link.on(topics.agentHeartbeat, (message) => {
    const agent = senderOf(message);
    const heartbeat = Heartbeat.safeParse(parseJson(message.payload));
    if (!agent || !heartbeat.success) return dropped(message, heartbeat.error?.message);
    presence.setHeartbeat(agent.id, heartbeat.data, new Date());
    watch?.heartbeat(agent.id, heartbeat.data);
    heartbeats.add(agent.id, { agent_id: agent.id, heartbeat: heartbeat.data });
  });

  link.on(topics.agentInventory, (message) => {
    const agent = senderOf(message);
    const inventory = InventoryMessage.safeParse(parseJson(message.payload));
    if (!agent || !inventory.success) return dropped(message, inventory.error?.message);
    const now = new Date();
    answerTime(context, agent, inventory.data.nonce, now).catch((error: unknown) => {
      log.warn({ err: error, agent: agent.key }, "an agent's clock could not be answered");
    });
    takeInventory(context.membersOf(agent.siteId), agent, inventory.data, now).catch((error: unknown) => {
      log.warn({ err: error, agent: agent.key }, "an inventory could not be written down");
    });
  });

  link.onConnect(() => watch?.connected());
  link.onBreak(() => watch?.broken());

  /** An empty payload is a topic being cleared; a key without an agent belongs to one that was deleted. */
  function senderOf(message: LinkMessage): DirectoryAgent | undefined {
    return message.payload.length > 0 ? context.directory.agents.byKey(message.key) : undefined;
  }

  function dropped({ topic, key, payload }: LinkMessage, problem: string | undefined): void {
    // what a removed agent had still under way is nothing to worry about
    if (payload.length > 0 && context.directory.agents.byKey(key))
      log.warn({ topic, problem }, "a message was dropped");
  }
}
