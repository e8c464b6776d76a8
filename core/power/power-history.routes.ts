import type { EntityManager } from "@mikro-orm/postgresql";
import type { z } from "zod";
import { IdParams } from "#contracts/api/common.ts";
import { PowerHistory as PowerHistoryAnswer, PowerHistoryQuery } from "#contracts/api/power-history.ts";
import { HubError } from "../kernel/errors.ts";
import type { App } from "../kernel/routes.ts";
import type { Directory } from "../members/directory.ts";
import { PowerDay, PowerHistory } from "./power-history.entity.ts";
import type { PowerHistoryWriter } from "./power-history.ts";

const WEEK_MS = 7 * 24 * 3_600_000;

export function powerHistoryRoutes(
  app: App,
  { directory, history }: { readonly directory: Directory; readonly history: Pick<PowerHistoryWriter, "flush"> },
): void {
  app.get(
    "/devices/:id/history",
    {
      config: { permission: "device:read" },
      schema: {
        summary:
          "Power states of a device, oldest first: the newest of a time, with the state that it begins in, and its days",
        params: IdParams,
        querystring: PowerHistoryQuery,
        response: { 200: PowerHistoryAnswer },
      },
    },
    async (request) => {
      const device = directory.devices.byId(request.params.id);
      if (device?.siteId !== request.account.siteId) throw new HubError("NOT_FOUND", "There is no such device");
      await history.flush();
      return await request.em.transactional((em) => readHistory(em, device.id, request.query, new Date()));
    },
  );
}

async function readHistory(
  em: EntityManager,
  device: string,
  { from, to, limit }: z.infer<typeof PowerHistoryQuery>,
  now: Date,
): Promise<PowerHistoryAnswer> {
  const end = to === undefined ? now : new Date(to);
  const begin = from === undefined ? new Date(end.getTime() - WEEK_MS) : new Date(from);
  if (begin > end) throw new HubError("INVALID_INPUT", "from is later than to", { field: "from" });
  const options = { orderBy: { at: "desc" }, disableIdentityMap: true } as const;
  const rows = await em.find(PowerHistory, { device, at: { $gte: begin, $lte: end } }, { ...options, limit });
  if (rows.length < limit)
    rows.push(...(await em.find(PowerHistory, { device, at: { $lt: begin } }, { ...options, limit: 1 })));
  const days = await em.find(
    PowerDay,
    { device, day: { $gte: dayOf(begin), $lte: dayOf(end) } },
    { orderBy: { day: "asc" }, disableIdentityMap: true },
  );
  return {
    states: rows.toReversed().map(({ at, power, because, evidence }) => {
      return { at: at.toISOString(), power, because, evidence: evidence ?? null };
    }),
    days: days.map(({ day, onSeconds, offSeconds, unknownSeconds, wakes }) => {
      return { day, onSeconds, offSeconds, unknownSeconds, wakes };
    }),
  };
}

function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}
