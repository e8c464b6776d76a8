import type { FastifyRequest } from "fastify";
import { z } from "zod";
import {
  ClusterAnswer,
  ClusterChange,
  ClusterChanged,
  ClusterCreate,
  ClusterList,
  type ClusterNow,
  ClusterQuery,
} from "#contracts/api/clusters.ts";
import { DroppedLink, IdParams } from "#contracts/api/common.ts";
import { mayChange } from "#contracts/permissions.ts";
import type { Accounts } from "../auth/accounts.ts";
import { HubError } from "../kernel/errors.ts";
import { pageOf, sortOrder } from "../kernel/pages.ts";
import type { Account, App } from "../kernel/routes.ts";
import type { Directory, DirectoryCluster } from "../members/directory.ts";
import { visibleTo } from "../members/visible.ts";
import {
  type ClustersContext,
  changeCluster,
  clusterAnswer,
  createCluster,
  deleteCluster,
} from "./clusters.service.ts";

export interface ClusterRoutes {
  readonly directory: Directory;
  readonly accounts: Accounts;
  /** What is observed of a cluster now. */
  readonly nowOf: (cluster: DirectoryCluster) => ClusterNow;
}

export function clusterRoutes(app: App, { directory, accounts, nowOf }: ClusterRoutes): void {
  app.get(
    "/clusters",
    {
      config: { permission: "cluster:read" },
      schema: { summary: "List clusters", querystring: ClusterQuery, response: { 200: ClusterList } },
    },
    async (request) => {
      const page = pageOf(matching(request.account, request.query), request.query, sortOrder(request.query.sort));
      return { ...page, items: page.items.map((cluster) => answer(cluster, request.account)) };
    },
  );

  app.post(
    "/clusters",
    {
      config: { permission: "cluster:create" },
      schema: { summary: "Make a cluster", body: ClusterCreate, response: { 201: ClusterChanged } },
    },
    async (request, reply) => {
      const { account } = request;
      const context = { ...contextOf(request), siteId: account.siteId };
      const { id, droppedLinks } = await createCluster(context, request.body, new Date());
      return reply.code(201).send({ ...answer(find(account, id), account), droppedLinks });
    },
  );

  app.get(
    "/clusters/:id",
    {
      config: { permission: "cluster:read" },
      schema: { summary: "One cluster", params: IdParams, response: { 200: ClusterAnswer } },
    },
    async (request) => answer(find(request.account, request.params.id), request.account),
  );

  app.route({
    method: ["PATCH", "PUT"],
    url: "/clusters/:id",
    config: { permission: "cluster:change" },
    schema: {
      summary: "Change a cluster or its members",
      params: IdParams,
      body: ClusterChange,
      response: { 200: ClusterChanged },
    },
    handler: async (request) => {
      const { account } = request;
      const { id } = findToChange(account, request.params.id);
      const { droppedLinks } = await changeCluster(contextOf(request), id, request.body, new Date());
      return { ...answer(find(account, id), account), droppedLinks };
    },
  });

  app.delete(
    "/clusters/:id",
    {
      config: { permission: "cluster:change" },
      schema: {
        summary: "Delete a cluster; its members stay, in none",
        params: IdParams,
        response: { 200: z.object({ droppedLinks: z.array(DroppedLink) }) },
      },
    },
    async (request) => {
      const { id } = findToChange(request.account, request.params.id);
      return { droppedLinks: await deleteCluster(contextOf(request), id) };
    },
  );

  function contextOf({ em, trail, account }: FastifyRequest): ClustersContext {
    return { em, directory, trail, accounts, actor: account };
  }

  function answer(cluster: DirectoryCluster, account: Account): ClusterAnswer {
    return visibleTo(account, clusterAnswer(cluster, directory, nowOf(cluster)));
  }

  function findToChange(account: Account, id: string): DirectoryCluster {
    const cluster = find(account, id);
    if (!mayChange(account, "cluster:change", cluster))
      throw new HubError("FORBIDDEN", "This cluster belongs to somebody else");
    return cluster;
  }

  function find(account: Account, id: string): DirectoryCluster {
    const cluster = directory.clusters.byId(id);
    if (cluster?.siteId !== account.siteId || cluster.unassigned)
      throw new HubError("NOT_FOUND", "There is no such cluster");
    return cluster;
  }

  function matching(account: Account, query: ClusterQuery): DirectoryCluster[] {
    const text = query.q?.toLowerCase();
    return [...directory.clusters].filter(
      (cluster) =>
        cluster.siteId === account.siteId &&
        !cluster.unassigned &&
        (query.tag === undefined || cluster.tags.includes(query.tag)) &&
        (text === undefined || `${cluster.name} ${cluster.key}`.toLowerCase().includes(text)),
    );
  }
}
