import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { IdParams } from "#contracts/api/common.ts";
import { PowerMethodAnswer, PowerMethodBody } from "#contracts/api/power-methods.ts";
import { mayChange } from "#contracts/permissions.ts";
import { HubError } from "../kernel/errors.ts";
import type { App } from "../kernel/routes.ts";
import type { DirectoryDevice } from "../members/directory.ts";
import {
  type PowerMethodsContext,
  maySetMethod,
  readPowerMethod,
  removePowerMethod,
  setPowerMethod,
} from "./power-methods.service.ts";

/** What does not come with each request. */
export type PowerMethodRoutes = Omit<PowerMethodsContext, "em" | "trail">;

const ONLY_MANAGERS = "This way acts with the hub's own rights; whoever manages the site may set it";

export function powerMethodRoutes(app: App, parts: PowerMethodRoutes): void {
  const { directory } = parts;

  app.get(
    "/devices/:id/power-method",
    {
      config: { permission: "device:change" },
      schema: {
        summary: "The other way of powering a device off; what is secret in it is never shown",
        params: IdParams,
        response: { 200: PowerMethodAnswer },
      },
    },
    async (request) => readPowerMethod(contextOf(request), find(request).id),
  );

  app.put(
    "/devices/:id/power-method",
    {
      config: { permission: "device:change" },
      schema: {
        summary: "Set how a device is powered off where no agent runs on it: SSH, MQTT or HTTP",
        params: IdParams,
        body: PowerMethodBody,
        response: { 200: PowerMethodAnswer },
      },
    },
    async (request) => {
      const device = find(request);
      if (!maySetMethod(request.account, request.body.method))
        throw new HubError("FORBIDDEN", ONLY_MANAGERS, { field: "method.type" });
      return await setPowerMethod(contextOf(request), device, request.body, new Date());
    },
  );

  app.delete(
    "/devices/:id/power-method",
    {
      config: { permission: "device:change" },
      schema: { summary: "Take the other way away, with its secrets", params: IdParams, response: { 204: z.null() } },
    },
    async (request, reply) => {
      await removePowerMethod(contextOf(request), find(request));
      return reply.code(204).send(null);
    },
  );

  function contextOf({ em, trail }: FastifyRequest): PowerMethodsContext {
    return { ...parts, em, trail };
  }

  function find({ account, params }: { account: FastifyRequest["account"]; params: { id: string } }): DirectoryDevice {
    const device = directory.devices.byId(params.id);
    if (device?.siteId !== account.siteId) throw new HubError("NOT_FOUND", "There is no such device");
    if (!mayChange(account, "device:change", device))
      throw new HubError("FORBIDDEN", "This device belongs to somebody else");
    return device;
  }
}
