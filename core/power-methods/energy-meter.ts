import type { EntityManager } from "@mikro-orm/postgresql";
import type { Logger } from "pino";
import type { Database } from "../kernel/database.ts";
import { type WriteBehind, startWriteBehind } from "../kernel/write-behind.ts";
import type { DirectoryDevice } from "../members/directory.ts";
import { wattHoursBetween } from "./plug.rules.ts";

const FLUSH_INTERVAL_MS = 60_000;
const MAX_WAITING = 20_000;

const UPSERT = `insert into device_energy (device_id, site_id, watt_hours, updated_at)
  select b.device_id, b.site_id, b.watt_hours, now() from jsonb_to_recordset(?::jsonb)
    as b (device_id uuid, site_id uuid, watt_hours float8) join device d on d.id = b.device_id
  on conflict (device_id) do update set watt_hours = greatest(device_energy.watt_hours, excluded.watt_hours), updated_at = now()`;

interface Row {
  readonly device_id: string;
  readonly site_id: string;
  readonly watt_hours: number;
}

/** Adds up what devices use from the watts that their plugs tell. Written behind, once a minute. */
export class EnergyMeter {
  readonly #wattHours: Map<string, number>;
  readonly #last = new Map<string, { readonly watts: number; readonly atMs: number }>();
  readonly #behind: WriteBehind<Row>;

  constructor(wattHours: Map<string, number>, database: Database, log: Logger) {
    this.#wattHours = wattHours;
    this.#behind = startWriteBehind<Row>({
      what: "energy figures",
      intervalMs: FLUSH_INTERVAL_MS,
      maxWaiting: MAX_WAITING,
      write: (rows) => database.execute(UPSERT, [JSON.stringify(rows)]),
      isUp: () => database.isUp(),
      log,
    });
  }

  /** What a device has used since the hub counts, in kWh; null where nobody ever told. */
  kWhOf(deviceId: string): number | null {
    const wattHours = this.#wattHours.get(deviceId);
    return wattHours === undefined ? null : Math.round(wattHours) / 1_000;
  }

  /** @param nowMs on a clock that runs on. */
  note({ id, siteId }: DirectoryDevice, watts: number, nowMs: number): void {
    const sum = (this.#wattHours.get(id) ?? 0) + wattHoursBetween(this.#last.get(id), nowMs);
    this.#last.set(id, { watts, atMs: nowMs });
    this.#wattHours.set(id, sum);
    this.#behind.add(id, { device_id: id, site_id: siteId, watt_hours: sum });
  }

  /** Its plug does not tell any more. */
  rest(deviceId: string): void {
    this.#last.delete(deviceId);
  }

  forget(deviceId: string): void {
    this.rest(deviceId);
    this.#wattHours.delete(deviceId);
  }

  close(): Promise<void> {
    return this.#behind.close();
  }
}

/** Reads what was counted before. Every site. */
export async function loadEnergy(em: EntityManager): Promise<Map<string, number>> {
  const rows = await em.execute<{ device_id: string; watt_hours: number }[]>(
    "select device_id, watt_hours from device_energy",
  );
  return new Map(rows.map((row) => [row.device_id, row.watt_hours]));
}
