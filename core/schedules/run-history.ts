import type { EntityManager } from "@mikro-orm/postgresql";
import type { ScheduleRun as Run } from "#contracts/api/schedules.ts";
import { HubError } from "../kernel/errors.ts";
import type { Page, PageQuery } from "../kernel/pages.ts";
import { ScheduleRun } from "./schedule.entity.ts";
import { runAnswer } from "./schedules.ts";

/**
 * One page of what became of a schedule's firings, newest first. The cursor is the instant at which the last one was due.
 *
 * @param em inside a transaction, so that the page and its total are of one moment.
 * @throws HubError INVALID_INPUT for a cursor that is not one of ours.
 */
export async function readRunPage(
  em: EntityManager,
  schedule: string,
  { limit, cursor }: PageQuery,
): Promise<Page<Run>> {
  const older = cursor === undefined ? {} : { dueAt: { $lt: instantOf(cursor) } };
  const total = await em.count(ScheduleRun, { schedule });
  const rows = await em.find(
    ScheduleRun,
    { schedule, ...older },
    { orderBy: { dueAt: "desc" }, limit: limit + 1, disableIdentityMap: true },
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items: items.map(runAnswer), next: last && rows.length > limit ? last.dueAt.toISOString() : null, total };
}

function instantOf(cursor: string): Date {
  const at = new Date(cursor);
  if (Number.isNaN(at.getTime()) || at.toISOString() !== cursor)
    throw new HubError("INVALID_INPUT", "This cursor did not come from this list", { field: "cursor" });
  return at;
}
