import type { DiscoveryRef } from "#contracts/discovery.ts";
import type { Directory, DirectoryChange } from "../members/directory.ts";
import type { BrokerClients } from "./broker-clients.ts";

/** By then a broker has read its files again, also where a job of its machine copies them first. */
const RELOADED_AFTER_MS = 3_000;

type Listener = (refs: readonly DiscoveryRef[]) => void;

/**
 * Things that clients of some clusters may not read before the broker has read its files again: what was said of them
 * meanwhile did not reach those clients, so it is to be said once more.
 */
export class NewlyReadable {
  readonly #news = new Map<string, DiscoveryRef>();
  readonly #listeners: Listener[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(directory: Directory) {
    directory.onChange((change) => this.#changed(change));
  }

  onReload(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** The files with these clients are written. */
  written({ integrations }: BrokerClients): void {
    const refs = [...this.#news.values()];
    this.#news.clear();
    if (refs.length === 0 || integrations.every(({ reach }) => reach === "everything")) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      for (const listener of this.#listeners) listener(refs);
    }, RELOADED_AFTER_MS);
    this.#timers.add(timer);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #changed(change: DirectoryChange): void {
    if (change.type === "cluster" || !change.after) return;
    const { type, before, after } = change;
    if (before?.clusterId !== after.clusterId) this.#news.set(after.id, { type, id: after.id });
  }
}
