import type { Database } from "../kernel/database.ts";

/** Single states are kept for so long, and what they add up to each day for longer. */
export const STATES_KEPT_DAYS = 60;
export const DAYS_KEPT = 400;
/** A day is added up when it is over for so long, so that no clock that was an hour ahead adds up half of it. */
const SETTLES_HOURS = 2;

/**
 * Seconds of each device in each state on one day (UTC): between two states the earlier one stands, and the first of the day
 * goes on from the last one before it. What is under way counts as where it begins: `stopping` is on, `waking` is off.
 */
const ADD_UP = `insert into power_day (device_id, day, site_id, on_seconds, off_seconds, unknown_seconds, wakes)
  with day as (select ?::date as day, ?::date::timestamp at time zone 'UTC' as begins,
      (?::date + 1)::timestamp at time zone 'UTC' as ends),
  entries as (
    select d.id as device_id, d.site_id, day.begins as at, before.power, true as carried
      from day, device d, lateral (select power from power_history h where h.device_id = d.id and h.at < day.begins
        order by h.at desc limit 1) before
    union all
    select h.device_id, h.site_id, h.at, h.power, false from day, power_history h where h.at >= day.begins and h.at < day.ends),
  periods as (
    select e.*, lag(power) over of_device as power_before,
        extract(epoch from coalesce(lead(at) over of_device, day.ends) - at) as seconds
      from entries e, day window of_device as (partition by e.device_id order by e.at, e.carried desc))
  select device_id, day.day, site_id,
      round(coalesce(sum(seconds) filter (where power in ('on', 'stopping')), 0)),
      round(coalesce(sum(seconds) filter (where power in ('off', 'waking')), 0)),
      round(coalesce(sum(seconds) filter (where power in ('unknown', 'unreachable')), 0)
        + extract(epoch from min(at) - day.begins)),
      count(*) filter (where power = 'on' and not carried and power_before in ('off', 'waking'))
    from periods, day group by device_id, site_id, day.day, day.begins
  on conflict (device_id, day) do nothing`;

/** Days that are over and not added up: those after the last one that is, at most as many as there are states of. */
const DUE = `select to_char(d, 'YYYY-MM-DD') as day from generate_series(
    greatest(coalesce((select max(day) + 1 from power_day), (select (min(at) at time zone 'UTC')::date from power_history)),
      (?::timestamptz at time zone 'UTC')::date - ${STATES_KEPT_DAYS})::timestamp,
    ((?::timestamptz - interval '${SETTLES_HOURS} hours') at time zone 'UTC')::date - 1, interval '1 day') d`;

// the last state of a device stays, however old: it goes on
const FORGET_STATES = `delete from power_history h where h.at < ?::timestamptz - interval '${STATES_KEPT_DAYS} days'
  and exists (select 1 from power_history later where later.device_id = h.device_id and later.at > h.at
    and later.at < ?::timestamptz - interval '${STATES_KEPT_DAYS} days')`;
const FORGET_DAYS = `delete from power_day where day < (?::timestamptz at time zone 'UTC')::date - ${DAYS_KEPT}`;

/** Adds up the days that are over, and forgets what is too old. As often as one likes: each day is added up once. */
export async function addUpDays(database: Database, now: Date): Promise<void> {
  const at = now.toISOString();
  for (const { day } of await database.execute(DUE, [at, at])) await database.execute(ADD_UP, [day, day, day]);
  await database.execute(FORGET_STATES, [at, at]);
  await database.execute(FORGET_DAYS, [at]);
}
