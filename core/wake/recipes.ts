import type { EntityManager } from "@mikro-orm/postgresql";
import type { Logger } from "pino";
import type { Evidence } from "#contracts/power.ts";
import type { Database } from "../kernel/database.ts";
import { type WriteBehind, startWriteBehind } from "../kernel/write-behind.ts";
import type { Directory } from "../members/directory.ts";
import { addDuration, creditedWays, durationOf, learnWays, type SentWay } from "./recipe.rules.ts";
import { type LearnedWay, WakeRecipe } from "./wake-recipe.entity.ts";

/** How a device wakes best. */
export interface Recipe {
  /** The median of its last wakes; null = never seen waking. */
  readonly typicalSeconds: number | null;
  /** Nine of ten of its last wakes were no slower. */
  readonly slowSeconds: number | null;
  /** Best first. */
  readonly ways: readonly LearnedWay[];
}

/** A wake that ended well, as far as there is something to learn from it. */
export interface Lesson {
  readonly deviceId: string;
  readonly sent: readonly SentWay[];
  readonly evidence: Evidence;
  readonly seconds: number;
  readonly seenMs: number;
}

interface Kept {
  readonly device_id: string;
  readonly ways: readonly LearnedWay[];
  readonly durations: readonly number[];
  readonly updated_at: Date;
}

const FLUSH_INTERVAL_MS = 2_000;
/** One a device; more devices than this do not wake at once. */
const MAX_WAITING = 100_000;
const NOTHING: Recipe = { typicalSeconds: null, slowSeconds: null, ways: [] };

// a recipe of a device that was deleted meanwhile finds no device and is left out
const UPSERT = `insert into wake_recipe (device_id, site_id, ways, durations, updated_at)
  select d.id, d.site_id, b.ways, b.durations, b.updated_at
  from jsonb_to_recordset(?::jsonb) as b (device_id uuid, ways jsonb, durations jsonb, updated_at timestamptz)
  join device d on d.id = b.device_id
  on conflict (device_id) do update set ways = excluded.ways, durations = excluded.durations, updated_at = excluded.updated_at`;

/** What was learned of waking each device: in memory, and a row each that is written behind. */
export class Recipes {
  readonly #kept = new Map<string, Kept>();
  readonly #recipes = new Map<string, Recipe>();
  readonly #behind: WriteBehind<Kept>;

  constructor({ database, directory, log }: { database: Database; directory: Directory; log: Logger }) {
    this.#behind = startWriteBehind<Kept>({
      what: "recipes of wakes",
      intervalMs: FLUSH_INTERVAL_MS,
      maxWaiting: MAX_WAITING,
      write: (rows) => database.execute(UPSERT, [JSON.stringify(rows)]),
      isUp: () => database.isUp(),
      log,
    });
    directory.onChange((change) => {
      if (change.type !== "device" || !change.before) return;
      // another network card is another machine
      if (change.after?.mac !== change.before.mac) this.#forget(change.before.id);
    });
  }

  of(deviceId: string): Recipe {
    return this.#recipes.get(deviceId) ?? NOTHING;
  }

  learn({ deviceId, sent, evidence, seconds, seenMs }: Lesson, now: Date): void {
    const known = this.#kept.get(deviceId);
    const { typicalSeconds } = this.of(deviceId);
    const credited = creditedWays(sent, { evidence, seenMs, typicalSeconds });
    const kept: Kept = {
      device_id: deviceId,
      ways: learnWays(known?.ways ?? [], sent, credited, now.toISOString()),
      durations: addDuration(known?.durations ?? [], seconds),
      updated_at: now,
    };
    this.#keep(kept);
    this.#behind.add(deviceId, kept);
  }

  /** Reads what was learned before. Every site. */
  async load(em: EntityManager): Promise<void> {
    const rows = await em.find(WakeRecipe, {}, { filters: { site: false }, disableIdentityMap: true });
    for (const { device, ways, durations, updatedAt } of rows)
      this.#keep({ device_id: device.id, ways, durations, updated_at: updatedAt });
  }

  /** Writes what waits. Fails when the database does. */
  flush(): Promise<void> {
    return this.#behind.flush();
  }

  close(): Promise<void> {
    return this.#behind.close();
  }

  #keep(kept: Kept): void {
    this.#kept.set(kept.device_id, kept);
    this.#recipes.set(kept.device_id, {
      typicalSeconds: durationOf(kept.durations, 0.5),
      slowSeconds: durationOf(kept.durations, 0.9),
      ways: kept.ways,
    });
  }

  #forget(deviceId: string): void {
    if (!this.#kept.delete(deviceId)) return;
    this.#recipes.delete(deviceId);
    this.#behind.add(deviceId, { device_id: deviceId, ways: [], durations: [], updated_at: new Date() });
  }
}
