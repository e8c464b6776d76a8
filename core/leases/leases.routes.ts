import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { IdParams } from "#contracts/api/common.ts";
import { LeaseCreate, LeaseCreated, LeaseList, LeaseQuery } from "#contracts/api/leases.ts";
import { mayChange, mayWake } from "#contracts/permissions.ts";
import { HubError } from "../kernel/errors.ts";
import type { Account, App } from "../kernel/routes.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import { acceptedOf } from "../wake/wake-answer.ts";
import { readLeasePage } from "./lease-history.ts";
import { type LeaseHolding, hold, leaseAnswer, release } from "./lease-holding.ts";
import type { Holder } from "./lease.rules.ts";
import type { Leases } from "./leases.ts";

export interface LeaseRoutes extends LeaseHolding {
  readonly leases: Leases;
  readonly directory: Directory;
}

export function leaseRoutes(app: App, parts: LeaseRoutes): void {
  const { leases, directory } = parts;

  app.post(
    "/devices/:id/leases",
    {
      config: { permission: "device:wake" },
      schema: {
        summary: "Hold a device on: until an instant, for some minutes, or until it is given back",
        params: IdParams,
        body: LeaseCreate.nullish(),
        response: { 201: LeaseCreated },
      },
    },
    async (request, reply) => {
      const { account, trail } = request;
      const device = findDevice(account, request.params.id);
      const may = (other: DirectoryDevice) => mayWake(account, other, directory.clusterOf(other));
      if (!may(device)) throw new HubError("FORBIDDEN", "This device belongs to somebody else");
      const by = { by: account.username, door: "http", trail, mayWake: may } as const;
      const asker = { ...by, transaction: null, response: null };
      const wish = { ...(request.body ?? { wake: true }), device, holder: holderOf(account), asker };
      const { lease, wake } = await hold(parts, contextOf(request), wish, new Date());
      return reply.code(201).send({ ...leaseAnswer(lease, device), wake: wake && acceptedOf(wake) });
    },
  );

  app.get(
    "/devices/:id/leases",
    {
      config: { permission: "device:read" },
      schema: {
        summary: "Who holds or held a device on, newest first",
        params: IdParams,
        querystring: LeaseQuery,
        response: { 200: LeaseList },
      },
    },
    async ({ account, params, query, em }) => {
      const device = findDevice(account, params.id);
      return await em.transactional((em) => readLeasePage(em, { device: device.id }, query));
    },
  );

  app.get(
    "/leases",
    {
      config: { permission: "device:read" },
      schema: { summary: "All leases, newest first", querystring: LeaseQuery, response: { 200: LeaseList } },
    },
    async ({ query, em }) => await em.transactional((em) => readLeasePage(em, {}, query)),
  );

  app.delete(
    "/leases/:id",
    {
      config: { permission: "device:wake" },
      schema: {
        summary: "Give a lease back; who may change the device can end those of others",
        params: IdParams,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { account } = request;
      const lease = leases.byId(request.params.id);
      const device = lease && directory.devices.byId(lease.deviceId);
      if (lease?.siteId !== account.siteId || !device) throw new HubError("NOT_FOUND", "There is no such open lease");
      const asker = { ...holderOf(account), mayForce: mayChange(account, "device:change", device) };
      await release(parts, contextOf(request), lease, asker, new Date());
      return reply.code(204).send(null);
    },
  );

  function contextOf({ em, trail }: FastifyRequest) {
    return { em, leases, trail };
  }

  function findDevice(account: Account, id: string): DirectoryDevice {
    const device = directory.devices.byId(id);
    if (device?.siteId !== account.siteId) throw new HubError("NOT_FOUND", "There is no such device");
    return device;
  }
}

function holderOf({ username, tokenId }: Account): Holder {
  return { heldBy: username, holder: tokenId === null ? "person" : "token" };
}
