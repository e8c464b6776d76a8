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
import { HubError } from "../kernel/errors.ts";
import { pageOf, sortOrder } from "../kernel/pages.ts";
import type { Account, App } from "../kernel/routes.ts";
import type { Directory, DirectoryCluster } from "../members/directory.ts";
import { changeCluster, clusterAnswer, createCluster, deleteCluster } from "./clusters.service.ts";

export interface ClusterRoutes {
  readonly directory: Directory;
  /** What is observed of a cluster now. */
  readonly nowOf: (cluster: DirectoryCluster) => ClusterNow;
}

export function clusterRoutes(app: App, { directory, nowOf }: ClusterRoutes): void {
  app.get(
    "/clusters",
    {
      config: { permission: "cluster:read" },
      schema: { summary: "List clusters", querystring: ClusterQuery, response: { 200: ClusterList } },
    },
    async (request) => {
      const page = pageOf(matching(request.account, request.query), request.query, sortOrder(request.query.sort));
      return { ...page, items: page.items.map(answer) };
    },
  );

  app.post(
    "/clusters",
    {
      config: { permission: "cluster:create" },
      schema: { summary: "Make a cluster", body: ClusterCreate, response: { 201: ClusterChanged } },
    },
    async (request, reply) => {
      const context = { em: request.em, directory, siteId: request.account.siteId };
      const { id, droppedLinks } = await createCluster(context, request.body, new Date());
      return reply.code(201).send({ ...answer(find(request.account, id)), droppedLinks });
    },
  );

  app.get(
    "/clusters/:id",
    {
      config: { permission: "cluster:read" },
      schema: { summary: "One cluster", params: IdParams, response: { 200: ClusterAnswer } },
    },
    async (request) => answer(find(request.account, request.params.id)),
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
      const { id } = find(request.account, request.params.id);
      const { droppedLinks } = await changeCluster({ em: request.em, directory }, id, request.body, new Date());
      return { ...answer(find(request.account, id)), droppedLinks };
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
      const { id } = find(request.account, request.params.id);
      return { droppedLinks: await deleteCluster({ em: request.em, directory }, id) };
    },
  );

  function answer(cluster: DirectoryCluster): ClusterAnswer {
    return clusterAnswer(cluster, directory, nowOf(cluster));
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
