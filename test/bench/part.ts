import type { Cleanup } from "./cleanup.ts";
import type { Report } from "./report.ts";

/** What each part of the benchmark gets. */
export interface PartOptions {
  readonly report: Report;
  readonly cleanup: Cleanup;
  /** Fewer and shorter: figures are rough. */
  readonly quick: boolean;
}

/** One part of the benchmark. It starts what it needs; `cleanup` ends it. */
export type Part = (options: PartOptions) => Promise<void>;
