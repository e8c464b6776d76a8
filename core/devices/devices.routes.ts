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
import { HubError } from "../kernel/errors.ts";
import { pageOf, sortOrder } from "../kernel/pages.ts";
import type { Account, App } from "../kernel/routes.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import { changeDevice, createDevice, deleteDevice, deviceAnswer } from "./devices.service.ts";

export interface DeviceRoutes {
  readonly directory: Directory;
  /** What is observed of a device now. */
  readonly nowOf: (device: DirectoryDevice) => DeviceNow;
}

export function deviceRoutes(app: App, { directory, nowOf }: DeviceRoutes): void {
  app.get(
    "/devices",
    {
      config: { permission: "device:read" },
      schema: { summary: "List devices", querystring: DeviceQuery, response: { 200: DeviceList } },
    },
    async (request) => {
      const page = pageOf(matching(request.account, request.query), request.query, sortOrder(request.query.sort));
      return { ...page, items: page.items.map(answer) };
    },
  );

  app.post(
    "/devices",
    {
      config: { permission: "device:create" },
      schema: { summary: "Add a device", body: DeviceCreate, response: { 201: DeviceAnswer } },
    },
    async (request, reply) => {
      const id = await createDevice({ em: request.em, directory }, request.body, new Date());
      return reply.code(201).send(answer(find(request.account, id)));
    },
  );

  app.get(
    "/devices/:id",
    {
      config: { permission: "device:read" },
      schema: { summary: "One device", params: IdParams, response: { 200: DeviceAnswer } },
    },
    async (request) => answer(find(request.account, request.params.id)),
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
      const { id } = find(request.account, request.params.id);
      const droppedLinks = await changeDevice({ em: request.em, directory }, id, request.body, new Date());
      return { ...answer(find(request.account, id)), droppedLinks };
    },
  });

  app.delete(
    "/devices/:id",
    {
      config: { permission: "device:change" },
      schema: { summary: "Delete a device and its history", params: IdParams, response: { 204: z.null() } },
    },
    async (request, reply) => {
      const { id } = find(request.account, request.params.id);
      await deleteDevice({ em: request.em, directory }, id);
      return reply.code(204).send(null);
    },
  );

  function answer(device: DirectoryDevice): DeviceAnswer {
    return deviceAnswer(device, directory, nowOf(device));
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
