import { type EntityManager, IsolationLevel } from "@mikro-orm/postgresql";
import { AuditChain } from "./audit.entity.ts";
import { BEGINNING, hashOf } from "./audit.rules.ts";
import { type StoredRecord, readEntries } from "./entries.ts";

/** What became of one chain. */
export interface ChainReport {
  /** Null for the hub's own. */
  readonly siteId: string | null;
  readonly rows: number;
  readonly lastHash: string;
  /** The first thing that is wrong; null when the chain is whole. */
  readonly problem: string | null;
}

const ROWS_PER_PAGE = 1_000;

/**
 * Reads the whole log and proves each chain: every row there from the first that retention left, each with the hash that its
 * content and the hash before it make, up to where the chain says that it ends. All of it as it was at one moment.
 *
 * @param em the hub's own.
 */
export async function verifyAudit(em: EntityManager): Promise<ChainReport[]> {
  return await em.transactional(
    async (em) => {
      const chains = await em.find(AuditChain, {}, { orderBy: { id: "asc" } });
      const reports: ChainReport[] = [];
      for (const chain of chains) reports.push(await verifyChain(em, chain));
      return [...reports, ...(await chainsWithoutHead(em, chains))];
    },
    { isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true },
  );
}

async function verifyChain(em: EntityManager, chain: AuditChain): Promise<ChainReport> {
  const siteId = chain.siteId ?? null;
  let [seq, hash, rows] = [chain.prunedSeq, chain.prunedHash, 0];
  let isPruneTold = chain.prunedSeq === 0;
  const report = (problem: string | null): ChainReport => ({ siteId, rows, lastHash: hash, problem });

  if (chain.prunedSeq === 0 && hash !== BEGINNING) return report("its beginning was changed");
  for await (const row of rowsOf(em, siteId)) {
    if (row.seq <= seq) return report(`row ${row.seq} stands before the beginning of the chain`);
    if (row.seq > seq + 1) return report(`row ${seq + 1} is missing`);
    hash = hashOf(hash, row.seq, row);
    if (hash !== row.hash) return report(`row ${row.seq} was changed`);
    isPruneTold ||= tellsOfPrune(row, chain);
    seq = row.seq;
    rows++;
  }
  if (seq < chain.lastSeq) return report(`row ${seq + 1} is missing, and every row after it`);
  if (seq > chain.lastSeq) return report(`row ${chain.lastSeq + 1} stands behind the end of the chain`);
  if (hash !== chain.lastHash) return report("its end was changed");
  if (!isPruneTold) return report(`the rows up to ${chain.prunedSeq} are gone, and no row tells of it`);
  return report(null);
}

/** Retention writes down what it took away; whoever else shortens a chain does not. */
function tellsOfPrune(row: StoredRecord, { prunedSeq, prunedHash }: AuditChain): boolean {
  if (row.action !== "audit.prune") return false;
  const { lastSeq, lastHash } = JSON.parse(row.details ?? "{}") as { lastSeq?: number; lastHash?: string };
  return lastSeq === prunedSeq && lastHash === prunedHash;
}

async function* rowsOf(em: EntityManager, siteId: string | null): AsyncGenerator<StoredRecord> {
  for (let after = Number.MIN_SAFE_INTEGER; ;) {
    const page = await readEntries(em, { siteId, seq: { $gt: after } }, { by: "seq", limit: ROWS_PER_PAGE });
    yield* page;
    if (page.length < ROWS_PER_PAGE) return;
    after = page.at(-1)?.seq ?? after;
  }
}

/** Rows of a chain whose head is gone. */
async function chainsWithoutHead(em: EntityManager, chains: readonly AuditChain[]): Promise<ChainReport[]> {
  const known = new Set(chains.map((chain) => chain.siteId ?? null));
  const found = await em.execute<{ site_id: string | null; rows: string }[]>(
    "select site_id, count(*) as rows from audit group by site_id order by site_id",
  );
  return found
    .filter((chain) => !known.has(chain.site_id))
    .map(({ site_id: siteId, rows }) => ({
      siteId,
      rows: Number(rows),
      lastHash: BEGINNING,
      problem: "the log does not know this chain",
    }));
}
