import { z } from "zod";
import {
  AgentAnswer,
  AgentChange,
  AgentChanged,
  AgentList,
  AgentQuery,
  EnrolmentCreate,
  EnrolmentCreated,
  EnrolmentList,
} from "#contracts/api/agents.ts";
import { IdParams, ListQuery } from "#contracts/api/common.ts";
import { EnrolAnswer, EnrolRequest } from "#contracts/enrolment.ts";
import { HubError } from "../kernel/errors.ts";
import type { Database } from "../kernel/database.ts";
import type { HubSigner } from "../kernel/hub-key.ts";
import type { Link } from "../kernel/link.ts";
import { pageOf, sortOrder } from "../kernel/pages.ts";
import type { Account, App } from "../kernel/routes.ts";
import type { Directory, DirectoryAgent } from "../members/directory.ts";
import { agentAnswer, changeAgent, deleteAgent } from "./agents.service.ts";
import type { AgentCredentials } from "./credentials.ts";
import { Enrolment } from "./enrolment.entity.ts";
import { createEnrolment, deleteEnrolment, enrolAgent, enrolmentAnswer } from "./enrolment.service.ts";
import type { Presence } from "./presence.ts";

export interface AgentRoutes {
  readonly directory: Directory;
  readonly presence: Presence;
  readonly credentials: AgentCredentials;
  readonly signer: HubSigner;
  readonly link: Link;
  readonly database: Database;
  readonly disconnect: (principalId: string) => void;
  readonly baseTopic: string;
  readonly mqttUrl: string | null;
  readonly mqttCa: string | null;
  /** Where agents reach the hub; null = the address that the caller used. */
  readonly publicUrl: string | null;
}

export function agentRoutes(app: App, hub: AgentRoutes): void {
  const { directory, presence } = hub;

  app.get(
    "/agents",
    {
      config: { permission: "agent:read" },
      schema: { summary: "List agents", querystring: AgentQuery, response: { 200: AgentList } },
    },
    async (request) => {
      const page = pageOf(matching(request.account, request.query), request.query, sortOrder(request.query.sort));
      return { ...page, items: page.items.map((agent) => agentAnswer(agent, directory, presence)) };
    },
  );

  app.get(
    "/agents/:id",
    {
      config: { permission: "agent:read" },
      schema: { summary: "One agent", params: IdParams, response: { 200: AgentAnswer } },
    },
    async (request) => agentAnswer(find(request.account, request.params.id), directory, presence),
  );

  app.patch(
    "/agents/:id",
    {
      config: { permission: "agent:manage" },
      schema: {
        summary: "Rename or move an agent, or hide it from Home Assistant",
        params: IdParams,
        body: AgentChange,
        response: { 200: AgentChanged },
      },
    },
    async (request) => {
      const { id } = find(request.account, request.params.id);
      const context = { em: request.em, directory, trail: request.trail };
      const droppedLinks = await changeAgent(context, id, request.body, new Date());
      return { ...agentAnswer(find(request.account, id), directory, presence), droppedLinks };
    },
  );

  app.delete(
    "/agents/:id",
    {
      config: { permission: "agent:manage" },
      schema: {
        summary: "Remove an agent and take back its credential",
        params: IdParams,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { id } = find(request.account, request.params.id);
      await deleteAgent({ ...hub, em: request.em, trail: request.trail }, id, new Date());
      return reply.code(204).send(null);
    },
  );

  app.get(
    "/enrolments",
    {
      config: { permission: "agent:manage" },
      schema: { summary: "List open join codes", querystring: ListQuery, response: { 200: EnrolmentList } },
    },
    async (request) => {
      const rows = await request.em.find(
        Enrolment,
        { usesLeft: { $gt: 0 }, expiresAt: { $gt: new Date() } },
        { limit: 1_000, orderBy: { createdAt: "desc" } },
      );
      const page = pageOf(rows, request.query, { valueOf: (row) => row.createdAt.toISOString(), descending: true });
      return { ...page, items: page.items.map((row) => enrolmentAnswer(row, directory)) };
    },
  );

  app.post(
    "/enrolments",
    {
      config: { permission: "agent:manage" },
      schema: { summary: "Make a join code", body: EnrolmentCreate, response: { 201: EnrolmentCreated } },
    },
    async (request, reply) => {
      const by = { username: request.account.username, fingerprint: hub.signer.fingerprint };
      const { enrolment, code } = await createEnrolment(request, request.body, by, new Date());
      const hubUrl = hub.publicUrl ?? `${request.protocol}://${request.host}`;
      const command = `npm run agent -- join ${hubUrl} ${code}`;
      return reply.code(201).send({ ...enrolmentAnswer(enrolment, directory), code, command });
    },
  );

  app.delete(
    "/enrolments/:id",
    {
      config: { permission: "agent:manage" },
      schema: { summary: "Withdraw a join code", params: IdParams, response: { 204: z.null() } },
    },
    async (request, reply) => {
      await deleteEnrolment(request, request.params.id);
      return reply.code(204).send(null);
    },
  );

  app.post(
    "/agents/enrol",
    {
      config: { permission: "public", rateLimit: { max: 10, timeWindow: "1 minute" } },
      schema: { summary: "Join as an agent, with a code", body: EnrolRequest, response: { 201: EnrolAnswer } },
    },
    async (request, reply) =>
      reply.code(201).send(await enrolAgent({ ...hub, trail: request.trail }, request.body, new Date())),
  );

  function find(account: Account, id: string): DirectoryAgent {
    const agent = directory.agents.byId(id);
    if (agent?.siteId !== account.siteId) throw new HubError("NOT_FOUND", "There is no such agent");
    return agent;
  }

  function matching(account: Account, query: AgentQuery): DirectoryAgent[] {
    const text = query.q?.toLowerCase();
    return [...directory.agents].filter((agent) => {
      const cluster = directory.clusterOf(agent);
      const clusterFits =
        query.cluster === "none" ? cluster.unassigned : cluster.key === query.cluster || cluster.id === query.cluster;
      return (
        agent.siteId === account.siteId &&
        (query.cluster === undefined || clusterFits) &&
        (query.status === undefined || (presence.of(agent.id)?.status ?? "offline") === query.status) &&
        (text === undefined || `${agent.name} ${agent.key} ${agent.hostname}`.toLowerCase().includes(text))
      );
    });
  }
}
