import type { z } from "zod";
import { IdParams } from "#contracts/api/common.ts";
import {
  ClusterPowerAccepted,
  PowerAccepted,
  PowerBody,
  PowerOffAnswer,
  PowerOffList,
  PowerOffListQuery,
} from "#contracts/api/power-offs.ts";
import { WakeQuery } from "#contracts/api/wakes.ts";
import { mayPower, mayWake } from "#contracts/permissions.ts";
import { HubError } from "../kernel/errors.ts";
import type { Account, App } from "../kernel/routes.ts";
import type { Trail } from "../kernel/trail.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import type { Asker } from "../wake/running-wake.ts";
import type { WakeService } from "../wake/wake.service.ts";
import { powerAcceptedOf, wakeAcceptedOf } from "./power-off-answer.ts";
import { readPowerOffPage, rowAnswer, runningAnswer } from "./power-off-history.ts";
import type { PowerOffJournal } from "./power-off-journal.ts";
import { PowerOff } from "./power-off.entity.ts";
import type { PowerOffService } from "./power-off.service.ts";

export interface PowerOffRoutes {
  readonly directory: Directory;
  readonly wakes: WakeService;
  readonly powerOffs: PowerOffService;
  readonly journal: PowerOffJournal;
}

const NOT_YOURS = "This device belongs to somebody else";
/** An agent that was called back says so at once, or not at all. Milliseconds. */
const CALL_BACK_MS = 5_000;

interface PowerRequest {
  readonly account: Account;
  readonly trail: Trail;
  readonly body: z.infer<typeof PowerBody>;
  readonly query: z.infer<typeof WakeQuery>;
}

export function powerOffRoutes(app: App, { directory, wakes, powerOffs, journal }: PowerOffRoutes): void {
  app.post(
    "/devices/:id/power",
    {
      config: { permission: "device:power" },
      schema: {
        summary: "Power a device off, or wake it; wait holds the answer until it is over",
        params: IdParams,
        querystring: WakeQuery,
        body: PowerBody,
        response: { 202: PowerAccepted },
      },
    },
    async (request, reply) => {
      const device = findDevice(request.account, request.params.id);
      if (!mayHere(request, device)) throw new HubError("FORBIDDEN", NOT_YOURS);
      const [part] = ask([device], request);
      if (!part) throw new Error("a request for one device has one answer");
      if (part.refusal) throw part.refusal;
      await part.settled();
      return reply.code(202).send(part.accepted());
    },
  );

  app.post(
    "/clusters/:id/power",
    {
      config: { permission: "device:power" },
      schema: {
        summary: "Power every enabled device of a cluster off, or wake it",
        params: IdParams,
        querystring: WakeQuery,
        body: PowerBody,
        response: { 202: ClusterPowerAccepted },
      },
    },
    async (request, reply) => {
      const cluster = directory.clusters.byId(request.params.id);
      if (cluster?.siteId !== request.account.siteId) throw new HubError("NOT_FOUND", "There is no such cluster");
      const devices = directory.devicesOf(cluster.id).filter((device) => device.enabled);
      if (devices.length === 0) throw new HubError("CLUSTER_EMPTY", "This cluster has no enabled device");
      const mine = devices.filter((device) => mayHere(request, device));
      if (mine.length === 0) throw new HubError("FORBIDDEN", "The devices of this cluster belong to others");
      const parts = ask(mine, request);
      await Promise.all(parts.map((part) => part.settled()));
      const others = devices.filter((device) => !mine.includes(device)).map((device) => notYours(device, request));
      return reply.code(202).send({ devices: [...parts.map((part) => part.accepted()), ...others] });
    },
  );

  app.get(
    "/devices/:id/power-offs",
    {
      config: { permission: "device:read" },
      schema: {
        summary: "Power-offs of one device, newest first",
        params: IdParams,
        querystring: PowerOffListQuery,
        response: { 200: PowerOffList },
      },
    },
    async (request) => {
      const device = findDevice(request.account, request.params.id);
      await journal.flush();
      return await request.em.transactional((em) => readPowerOffPage(em, { device: device.id }, request.query));
    },
  );

  app.get(
    "/power-offs/:id",
    {
      config: { permission: "device:read" },
      schema: {
        summary: "One power-off with everything that happened in it",
        params: IdParams,
        response: { 200: PowerOffAnswer },
      },
    },
    async (request) => {
      const running = powerOffs.find(request.params.id);
      if (running?.siteId === request.account.siteId) return runningAnswer(running);
      const row = await request.em.findOne(PowerOff, { id: request.params.id }, { populate: ["device"] });
      if (!row) throw new HubError("NOT_FOUND", "There is no such power-off");
      return rowAnswer(row);
    },
  );

  app.delete(
    "/power-offs/:id",
    {
      config: { permission: "device:power" },
      schema: { summary: "Call a power-off back", params: IdParams, response: { 200: PowerOffAnswer } },
    },
    async (request) => {
      const { id } = request.params;
      const running = powerOffs.find(id);
      if (running?.siteId === request.account.siteId) {
        refuseOthers(request.account, running.deviceId);
        powerOffs.cancel(id, request.account.username, null);
        const target = { type: "device", id: running.deviceId, name: running.deviceKey };
        request.trail.note({ action: "power-off.cancel", target, details: { powerOff: id } });
        await powerOffs.waitFor(running, CALL_BACK_MS);
        return runningAnswer(running);
      }
      const row = await request.em.findOne(PowerOff, { id });
      if (!row) throw new HubError("NOT_FOUND", "There is no such power-off");
      refuseOthers(request.account, row.device.id);
      throw new HubError("POWER_OFF_OVER", "This power-off is over already");
    },
  );

  /** What became of the request for each device, and when it is over. */
  function ask(devices: readonly DirectoryDevice[], { account, trail, body, query }: PowerRequest): readonly Part[] {
    const { action, force, transaction = null } = body;
    const mayWakeOther = (device: DirectoryDevice) => mayWake(account, device, directory.clusterOf(device));
    const by = account.username;
    const asker: Asker = { by, door: "http", transaction, response: null, trail, mayWake: mayWakeOther };
    const waitMs = query.wait * 1_000;
    if (action === "wake")
      return wakes.request(devices, asker, { force }).map((part) => ({
        refusal: part.type === "refused" ? errorOf(part) : part.failure ? errorOf(part.failure) : null,
        settled: async () => (part.type === "wake" ? await wakes.waitFor(part.wake, waitMs) : undefined),
        accepted: () => wakeAcceptedOf(part),
      }));
    return powerOffs.request(devices, action, asker, { force }).map((part) => ({
      refusal: part.type === "refused" ? errorOf(part) : null,
      settled: async () => (part.type === "power-off" ? await powerOffs.waitFor(part.powerOff, waitMs) : undefined),
      accepted: () => powerAcceptedOf(part),
    }));
  }

  /** To wake by this door needs the right to do so. */
  function mayHere({ account, body }: PowerRequest, device: DirectoryDevice): boolean {
    const may = body.action === "wake" ? mayWake : mayPower;
    return may(account, device, directory.clusterOf(device));
  }

  function refuseOthers(account: Account, deviceId: string): void {
    const device = directory.devices.byId(deviceId);
    if (device && !mayPower(account, device, directory.clusterOf(device))) throw new HubError("FORBIDDEN", NOT_YOURS);
  }

  function notYours({ key, power }: DirectoryDevice, { body }: PowerRequest): PowerAccepted {
    const action = body.action === "off" ? power.off : body.action;
    const nothing = { powerOff: null, wake: null };
    return PowerAccepted.parse({
      ...nothing,
      device: key,
      action,
      stage: "refused",
      code: "FORBIDDEN",
      reason: NOT_YOURS,
    });
  }

  function findDevice(account: Account, id: string): DirectoryDevice {
    const device = directory.devices.byId(id);
    if (device?.siteId !== account.siteId) throw new HubError("NOT_FOUND", "There is no such device");
    return device;
  }
}

interface Part {
  /** Why nothing came of it. */
  readonly refusal: HubError | null;
  readonly settled: () => Promise<void>;
  readonly accepted: () => PowerAccepted;
}

function errorOf({ code, reason }: { readonly code: HubError["code"]; readonly reason: string }): HubError {
  return new HubError(code, reason);
}
