import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { IdParams } from "#contracts/api/common.ts";
import {
  DeviceAnswer,
  DeviceChange,
  DeviceChanged,
  DeviceCreate,
  DeviceList,
  type DeviceNow,
  DeviceQuery,
} from "#contracts/api/devices.ts";
import { mayChange } from "#contracts/permissions.ts";
import type { Accounts } from "../auth/accounts.ts";
import { HubError } from "../kernel/errors.ts";
import { pageOf, sortOrder } from "../kernel/pages.ts";
import type { Account, App } from "../kernel/routes.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import { visibleTo } from "../members/visible.ts";
import { type DevicesContext, changeDevice, createDevice, deleteDevice, deviceAnswer } from "./devices.service.ts";

export interface DeviceRoutes {
  readonly directory: Directory;
  readonly accounts: Accounts;
  /** What is observed of a device now. */
  readonly nowOf: (device: DirectoryDevice) => DeviceNow;
}

export function deviceRoutes(app: App, { directory, accounts, nowOf }: DeviceRoutes): void {
  app.get(
    "/devices",
    {
      config: { permission: "device:read" },
      schema: { summary: "List devices", querystring: DeviceQuery, response: { 200: DeviceList } },
    },
    async (request) => {
      const page = pageOf(matching(request.account, request.query), request.query, sortOrder(request.query.sort));
      return { ...page, items: page.items.map((device) => answer(device, request.account)) };
    },
  );

  app.post(
    "/devices",
    {
      config: { permission: "device:create" },
      schema: { summary: "Add a device", body: DeviceCreate, response: { 201: DeviceAnswer } },
    },
    async (request, reply) => {
      const id = await createDevice(contextOf(request), request.body, new Date());
      return reply.code(201).send(answer(find(request.account, id), request.account));
    },
  );

  app.get(
    "/devices/:id",
    {
      config: { permission: "device:read" },
      schema: { summary: "One device", params: IdParams, response: { 200: DeviceAnswer } },
    },
    async (request) => answer(find(request.account, request.params.id), request.account),
  );

  app.route({
    method: ["PATCH", "PUT"],
    url: "/devices/:id",
    config: { permission: "device:change" },
    schema: {
      summary: "Change or move a device; null clears a field",
      params: IdParams,
      body: DeviceChange,
      response: { 200: DeviceChanged },
    },
    handler: async (request) => {
      const { account } = request;
      const { id } = findToChange(account, request.params.id);
      const droppedLinks = await changeDevice(contextOf(request), id, request.body, new Date());
      return { ...answer(find(account, id), account), droppedLinks };
    },
  });

  app.delete(
    "/devices/:id",
    {
      config: { permission: "device:change" },
      schema: { summary: "Delete a device and its history", params: IdParams, response: { 204: z.null() } },
    },
    async (request, reply) => {
      const { id } = findToChange(request.account, request.params.id);
      await deleteDevice(contextOf(request), id);
      return reply.code(204).send(null);
    },
  );

  function contextOf({ em, trail, account }: FastifyRequest): DevicesContext {
    return { em, directory, trail, accounts, actor: account };
  }

  function answer(device: DirectoryDevice, account: Account): DeviceAnswer {
    return visibleTo(account, deviceAnswer(device, directory, nowOf(device)));
  }

  function findToChange(account: Account, id: string): DirectoryDevice {
    const device = find(account, id);
    if (!mayChange(account, "device:change", device))
      throw new HubError("FORBIDDEN", "This device belongs to somebody else");
    return device;
  }

  function find(account: Account, id: string): DirectoryDevice {
    const device = directory.devices.byId(id);
    if (device?.siteId !== account.siteId) throw new HubError("NOT_FOUND", "There is no such device");
    return device;
  }

  function matching(account: Account, query: DeviceQuery): DirectoryDevice[] {
    const text = query.q?.toLowerCase();
    const agentId = query.agent === undefined ? undefined : (directory.agents.byKey(query.agent)?.id ?? query.agent);
    return [...directory.devices].filter((device) => {
      const cluster = directory.clusterOf(device);
      const clusterFits =
        query.cluster === "none" ? cluster.unassigned : cluster.key === query.cluster || cluster.id === query.cluster;
      return (
        device.siteId === account.siteId &&
        (query.cluster === undefined || clusterFits) &&
        (query.power === undefined || nowOf(device).power === query.power) &&
        (query.tag === undefined || device.tags.includes(query.tag)) &&
        (query.os === undefined || device.os === query.os) &&
        (agentId === undefined || device.agentIds.includes(agentId)) &&
        (text === undefined ||
          `${device.name} ${device.key} ${device.mac} ${device.address ?? ""}`.toLowerCase().includes(text))
      );
    });
  }
}
