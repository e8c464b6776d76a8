import type { EntityManager } from "@mikro-orm/postgresql";
import type { Logger } from "pino";
import type { Database } from "../kernel/database.ts";
import type { TrailSource } from "../kernel/trail.ts";
import { appendRecords } from "./append.ts";
import { AuditChain } from "./audit.entity.ts";
import { recordOf } from "./audit.rules.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Takes old rows away, once at the start and then once a day. */
export function startRetention(options: { database: Database; keptDays: number; log: Logger }): {
  close(): Promise<void>;
} {
  const { database, keptDays, log } = options;
  let pruning: Promise<void> | undefined;

  async function prune(): Promise<void> {
    try {
      const now = new Date();
      await pruneAudit(database.fork(), new Date(now.getTime() - keptDays * DAY_MS), now);
    } catch (error) {
      log.warn({ err: error }, "old rows of the audit log could not be deleted; the next day tries again");
    }
  }

  const start = () => (pruning = prune());
  void start();
  const timer = setInterval(() => void start(), DAY_MS);
  return {
    close: async () => {
      clearInterval(timer);
      await pruning;
    },
  };
}

/**
 * Takes the rows of whole days (UTC) away that lie before an instant, from the beginning of each chain on. The chain keeps
 * the place and the hash of the last one, and a row says that they are gone, so that what is left can still be proved.
 */
export async function pruneAudit(em: EntityManager, before: Date, now: Date): Promise<void> {
  for (const chain of await em.find(AuditChain, {}, { orderBy: { id: "asc" } })) {
    await em.fork().transactional(async (em) => {
      const [pruned] = await em.execute<Pruned[]>("select * from audit_prune(?, ?)", [chain.id, before]);
      const rows = Number(pruned?.removed);
      if (rows === 0) return;
      const details = { rows, lastSeq: Number(pruned?.up_to), lastHash: pruned?.up_to_hash };
      await appendRecords(em, [recordOf(hubItself(chain.siteId ?? null), { action: "audit.prune", details }, now)]);
    });
  }
}

interface Pruned {
  readonly removed: string;
  readonly up_to: string;
  readonly up_to_hash: string;
}

function hubItself(siteId: string | null): TrailSource {
  return { siteId, actor: { type: "system", id: null, name: null }, address: null, requestId: null };
}
