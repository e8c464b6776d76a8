import type { z } from "zod";
import { IdParams } from "#contracts/api/common.ts";
import {
  ClusterWakeAccepted,
  WakeAccepted,
  WakeAnswer,
  WakeBody,
  WakeList,
  WakeListQuery,
  WakeQuery,
} from "#contracts/api/wakes.ts";
import { Key } from "#contracts/key.ts";
import { mayWake } from "#contracts/permissions.ts";
import { HubError } from "../kernel/errors.ts";
import type { Account, App } from "../kernel/routes.ts";
import type { Trail } from "../kernel/trail.ts";
import type { Directory, DirectoryDevice } from "../members/directory.ts";
import type { Asker, RunningWake } from "./running-wake.ts";
import { Wake } from "./wake.entity.ts";
import type { WakeJournal } from "./wake-journal.ts";
import { readWakePage, rowAnswer } from "./wake-history.ts";
import { type WakeAnswerPart, acceptedOf } from "./wake-answer.ts";
import { type WakeService } from "./wake.service.ts";

export interface WakeRoutes {
  readonly directory: Directory;
  readonly wakes: WakeService;
  readonly journal: WakeJournal;
}

const NOT_YOURS = "This device belongs to somebody else";

/** Curl sends no body with a bare POST. */
const Body = WakeBody.nullish();

export function wakeRoutes(app: App, { directory, wakes, journal }: WakeRoutes): void {
  app.post(
    "/devices/:id/wake",
    {
      config: { permission: "device:wake" },
      schema: {
        summary: "Wake a device; wait holds the answer until it is over",
        params: IdParams,
        querystring: WakeQuery,
        body: Body,
        response: { 202: WakeAccepted },
      },
    },
    async (request, reply) => {
      const device = findDevice(request.account, request.params.id);
      if (!mayWakeHere(request.account, device)) throw new HubError("FORBIDDEN", NOT_YOURS);
      const [part] = ask([device], request);
      if (!part) throw new Error("a request for one device has one answer");
      if (part.type === "refused") throw new HubError(part.code, part.reason);
      if (part.failure) throw new HubError(part.failure.code, part.failure.reason);
      await wakes.waitFor(part.wake, request.query.wait * 1_000);
      return reply.code(202).send(acceptedOf(part));
    },
  );

  app.post(
    "/clusters/:id/wake",
    {
      config: { permission: "device:wake" },
      schema: {
        summary: "Wake every enabled device of a cluster",
        params: IdParams,
        querystring: WakeQuery,
        body: Body,
        response: { 202: ClusterWakeAccepted },
      },
    },
    async (request, reply) => {
      const cluster = directory.clusters.byId(request.params.id);
      if (cluster?.siteId !== request.account.siteId) throw new HubError("NOT_FOUND", "There is no such cluster");
      const devices = directory.devicesOf(cluster.id).filter((device) => device.enabled);
      if (devices.length === 0) throw new HubError("CLUSTER_EMPTY", "This cluster has no enabled device");
      const mine = devices.filter((device) => mayWakeHere(request.account, device));
      if (mine.length === 0) throw new HubError("FORBIDDEN", "The devices of this cluster belong to others");
      const others = devices.filter((device) => !mine.includes(device)).map(notYours);
      const parts = [...ask(mine, request), ...others];
      await Promise.all(
        parts.map(async (part) => {
          if (part.type === "wake") await wakes.waitFor(part.wake, request.query.wait * 1_000);
        }),
      );
      return reply.code(202).send({ wakes: parts.map(acceptedOf) });
    },
  );

  app.get(
    "/wakes",
    {
      config: { permission: "device:read" },
      schema: {
        summary: "History of all wakes, newest first",
        querystring: WakeListQuery,
        response: { 200: WakeList },
      },
    },
    async (request) => {
      await journal.flush();
      return await request.em.transactional((em) => readWakePage(em, {}, request.query));
    },
  );

  app.get(
    "/devices/:id/wakes",
    {
      config: { permission: "device:read" },
      schema: {
        summary: "History of one device, newest first",
        params: IdParams,
        querystring: WakeListQuery,
        response: { 200: WakeList },
      },
    },
    async (request) => {
      const device = findDevice(request.account, request.params.id);
      await journal.flush();
      return await request.em.transactional((em) => readWakePage(em, { device: device.id }, request.query));
    },
  );

  app.get(
    "/wakes/:id",
    {
      config: { permission: "device:read" },
      schema: {
        summary: "One wake with everything that happened in it",
        params: IdParams,
        response: { 200: WakeAnswer },
      },
    },
    async (request) => {
      const running = wakes.find(request.params.id);
      if (running?.siteId === request.account.siteId) return runningAnswer(running);
      const row = await request.em.findOne(Wake, { id: request.params.id }, { populate: ["device"] });
      if (!row) throw new HubError("NOT_FOUND", "There is no such wake");
      return rowAnswer(row);
    },
  );

  app.delete(
    "/wakes/:id",
    {
      config: { permission: "device:wake" },
      schema: { summary: "Cancel a running wake", params: IdParams, response: { 200: WakeAnswer } },
    },
    async (request) => {
      const { id } = request.params;
      const running = wakes.find(id);
      if (running?.siteId === request.account.siteId) {
        const device = directory.devices.byId(running.deviceId);
        if (device && !mayWakeHere(request.account, device)) throw new HubError("FORBIDDEN", NOT_YOURS);
        const cancelled = wakes.cancel(id, request.account.username);
        const target = { type: "device", id: running.deviceId, name: running.deviceKey };
        request.trail.note({ action: "wake.cancel", target, details: { wake: id } });
        return runningAnswer(cancelled);
      }
      if (await request.em.findOne(Wake, { id })) throw new HubError("WAKE_OVER", "This wake is over already");
      throw new HubError("NOT_FOUND", "There is no such wake");
    },
  );

  function ask(
    devices: readonly DirectoryDevice[],
    { account, trail, body }: { account: Account; trail: Trail; body: z.infer<typeof Body> },
  ): readonly WakeAnswerPart[] {
    const transaction = body?.transaction ?? null;
    const who = { by: account.username, mayWake: (device: DirectoryDevice) => mayWakeHere(account, device), trail };
    const asker: Asker = { ...who, door: "http", transaction, response: null };
    return wakes.request(devices, asker, { force: body?.force ?? false });
  }

  function mayWakeHere(account: Account, device: DirectoryDevice): boolean {
    return mayWake(account, device, directory.clusterOf(device));
  }

  function findDevice(account: Account, id: string): DirectoryDevice {
    const device = directory.devices.byId(id);
    if (device?.siteId !== account.siteId) throw new HubError("NOT_FOUND", "There is no such device");
    return device;
  }
}

function notYours({ key }: DirectoryDevice): WakeAnswerPart {
  return { type: "refused", device: Key.parse(key), code: "FORBIDDEN", reason: NOT_YOURS };
}

function runningAnswer(wake: RunningWake): WakeAnswer {
  return {
    id: wake.id,
    device: wake.deviceKey,
    deviceId: wake.deviceId,
    stage: wake.stage,
    requestedAt: wake.requestedAt.toISOString(),
    requestedBy: wake.requestedBy,
    finishedAt: wake.finishedAt?.toISOString() ?? null,
    seconds: wake.seconds,
    evidence: wake.evidence,
    stages: [...wake.stages],
  };
}
