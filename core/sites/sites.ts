import type { EntityManager } from "@mikro-orm/postgresql";
import { Key } from "#contracts/key.ts";
import { Turns } from "../kernel/turns.ts";
import { Site } from "./site.entity.ts";

/** The key of the site that a new hub has. */
export const DEFAULT_SITE = "default";

export interface KnownSite {
  readonly id: string;
  readonly key: Key;
  readonly name: string;
  readonly createdAt: Date;
}

/** All sites in memory, in the order in which they were made: each call asks for one. */
export class Sites {
  readonly #byId = new Map<string, KnownSite>();
  /** Changes of sites and readings of all. */
  readonly turns = new Turns();

  [Symbol.iterator](): IterableIterator<KnownSite> {
    return this.#byId.values();
  }

  get size(): number {
    return this.#byId.size;
  }

  byId(id: string): KnownSite | undefined {
    return this.#byId.get(id);
  }

  byKey(key: string): KnownSite | undefined {
    return [...this].find((site) => site.key === key);
  }

  put(row: Site): KnownSite {
    return this.take({ id: row.id, key: Key.parse(row.key), name: row.name, createdAt: row.createdAt });
  }

  take(site: KnownSite): KnownSite {
    this.#byId.set(site.id, site);
    return site;
  }

  remove(id: string): void {
    this.#byId.delete(id);
  }
}

/** Reads all sites anew: one may have been made or deleted without anybody being told. */
export function refreshSites(em: EntityManager, sites: Sites): Promise<void> {
  return sites.turns.take(async () => {
    const fresh = await loadSites(em);
    for (const { id } of sites) if (!fresh.byId(id)) sites.remove(id);
    for (const site of fresh) sites.take(site);
  });
}

/** Reads all sites once, at the start. */
export async function loadSites(em: EntityManager): Promise<Sites> {
  const sites = new Sites();
  for (const row of await em.find(Site, {}, { orderBy: { createdAt: "asc", id: "asc" } })) sites.put(row);
  return sites;
}
