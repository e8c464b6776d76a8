import type { Principal } from "#contracts/principal.ts";
import type { BrokerLimits } from "./limits.ts";

/** What a filter takes besides its levels, in the size of one. */
const FRAME = 4;
const BYTES_OF_ONE = 256;

/** Counts what the filters of each credential take in memory, all its clients together, those that are away as well. */
export class FilterQuota {
  readonly #limits: BrokerLimits;
  readonly #taken = new Map<string, number>();

  constructor(limits: BrokerLimits) {
    this.#limits = limits;
  }

  hasRoomFor({ id, type }: Principal, filter: string): boolean {
    const { filterSizeAgent, filterSizeIntegration } = this.#limits;
    if (type === "hub") return true;
    return (this.#taken.get(id) ?? 0) + sizeOf(filter) <= (type === "agent" ? filterSizeAgent : filterSizeIntegration);
  }

  take({ id }: Principal, filter: string): void {
    this.#taken.set(id, (this.#taken.get(id) ?? 0) + sizeOf(filter));
  }

  giveBack({ id }: Principal, filter: string): void {
    const left = (this.#taken.get(id) ?? 0) - sizeOf(filter);
    if (left > 0) this.#taken.set(id, left);
    else this.#taken.delete(id);
  }
}

/** In levels of a tree of filters, about a quarter of a KiB each. */
function sizeOf(filter: string): number {
  let levels = 1;
  for (let at = filter.indexOf("/"); at >= 0; at = filter.indexOf("/", at + 1)) levels++;
  return FRAME + levels + Math.floor(filter.length / BYTES_OF_ONE);
}
