import type { EntityManager } from "@mikro-orm/postgresql";
import { networkOf } from "#contracts/network.ts";
import type { Logger } from "pino";
import type { Database } from "../kernel/database.ts";
import { isDatabaseGone } from "../kernel/database-gone.ts";
import { Allowance } from "../kernel/allowance.ts";
import { HubError } from "../kernel/errors.ts";
import type { Trail, TrailEvent, TrailSource } from "../kernel/trail.ts";
import { startWriteBehind } from "../kernel/write-behind.ts";
import { appendRecords, appendStatement } from "./append.ts";
import { type AuditRecord, recordOf } from "./audit.rules.ts";

/** The audit log: written in the transaction of a change, or behind what no transaction belongs to. */
export interface Audit {
  trail(source: TrailSource): Trail;
  /** `failing` from the first row that could not be written until one can be again. A database that is away is not that. */
  readonly state: AuditState;
  readonly counts: AuditCounts;
  /** Calls the listener when the state is another. */
  onChange(listener: () => void): void;
  /** Writes what waits, so that whoever reads sees it. Fails when the database does not answer. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export type AuditState = "ok" | "failing";

export interface AuditCounts {
  readonly written: number;
  /** Noted, and not written yet. */
  readonly waiting: number;
  /** Noted, and given up. */
  readonly lost: number;
  /** Refusals and failures beyond what is noted of one actor a minute. */
  readonly unnoted: number;
  /** Changes that were not made because their row could not be written. */
  readonly refused: number;
}

const FLUSH_INTERVAL_MS = 500;
const MAX_WAITING = 10_000;
/** What is refused or fails is noted so often a minute, of one actor (or address of strangers) and in one chain. */
const REFUSALS_OF_ACTOR = { each: 60, all: 6_000, periodMs: 60_000 };
const REFUSALS_OF_CHAIN = { each: 600, all: 6_000, periodMs: 60_000 };

export function startAudit({ database, log }: { database: Database; log: Logger }): Audit {
  const counts = { written: 0, lost: 0, refused: 0, unnoted: 0 };
  const refusals = { ofActor: new Allowance(REFUSALS_OF_ACTOR), ofChain: new Allowance(REFUSALS_OF_CHAIN) };
  const listeners: (() => void)[] = [];
  let state: AuditState = "ok";
  let noted = 0;
  const behind = startWriteBehind<AuditRecord>({
    what: "rows of the audit log",
    intervalMs: FLUSH_INTERVAL_MS,
    maxWaiting: MAX_WAITING,
    write: async (records) => {
      await database.execute(...appendStatement(records));
      written(records.length);
    },
    isUp: () => database.isUp(),
    log,
    onGivenUp: () => {
      counts.lost++;
      become("failing");
    },
  });

  function written(rows: number): void {
    counts.written += rows;
    if (behind.waiting < MAX_WAITING / 2) become("ok"); // else more comes than can be written
  }

  /** A flood of refusals, or of requests that come to nothing, leaves room for the rows of others. */
  function isFlood({ siteId, actor, address }: TrailSource, { result = "ok" }: TrailEvent): boolean {
    if (result === "ok") return false;
    const nowMs = performance.now();
    const who = `${actor.type} ${actor.id ?? actor.name ?? networkOf(address ?? "")}`;
    if (refusals.ofActor.take(who, nowMs) && refusals.ofChain.take(siteId ?? "", nowMs)) return false;
    counts.unnoted++;
    return true;
  }

  function become(next: AuditState): void {
    if (next === state) return;
    state = next;
    if (state === "ok") log.info("the audit log can be written again");
    else log.error("the audit log cannot be written; changes are refused until it can be");
    for (const listener of listeners) listener();
  }

  async function write(em: EntityManager, source: TrailSource, events: readonly TrailEvent[]): Promise<void> {
    if (!em.isInTransaction()) throw new Error("a row of the audit log is written in the transaction of its change");
    try {
      const now = new Date();
      await appendRecords(
        em,
        events.map((event) => recordOf(source, event, now)),
      );
    } catch (error) {
      if (isDatabaseGone(error)) throw error;
      counts.refused++;
      log.error(
        { err: error, action: events[0]?.action },
        "a row of the audit log cannot be written; its change is refused",
      );
      become("failing");
      const sentence = "The audit log cannot be written, so nothing was changed; the hub's log tells why";
      throw new HubError("AUDIT_UNAVAILABLE", sentence, { cause: error });
    }
    written(events.length);
  }

  function trail(source: TrailSource): Trail {
    return {
      write: (em, ...events) => write(em, source, events),
      note: (event) => {
        if (!isFlood(source, event)) behind.add(String(noted++), recordOf(source, event, new Date()));
      },
      in: (siteId) => trail({ ...source, siteId }),
    };
  }

  return {
    trail,
    get state() {
      return state;
    },
    get counts() {
      return { ...counts, waiting: behind.waiting };
    },
    onChange: (listener) => void listeners.push(listener),
    flush: () => behind.flush(),
    close: () => behind.close(),
  };
}
