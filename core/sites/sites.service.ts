import { randomUUID } from "node:crypto";
import { type EntityManager, ForeignKeyConstraintViolationException } from "@mikro-orm/postgresql";
import type { SiteChange, SiteCreate } from "#contracts/api/sites.ts";
import { Key, UNASSIGNED } from "#contracts/key.ts";
import { Cluster } from "../clusters/cluster.entity.ts";
import { HubError } from "../kernel/errors.ts";
import { freeKey, keyFromName } from "../kernel/keys.ts";
import type { Trail } from "../kernel/trail.ts";
import { Site } from "./site.entity.ts";
import { DEFAULT_SITE, type KnownSite, type Sites } from "./sites.ts";

export interface SiteContext {
  /** The hub's own: sites are made from outside of them. */
  readonly em: EntityManager;
  readonly sites: Sites;
  readonly trail: Trail;
}

/** The site that a new hub has, with its row for "in no cluster". Makes both at the first start. */
export async function ensureDefaultSite(em: EntityManager, now: Date): Promise<Site> {
  const found = await em.findOne(Site, { key: DEFAULT_SITE });
  if (found) return found;
  const { site } = addSite(em, { key: DEFAULT_SITE, name: "Default" }, now);
  await em.flush();
  return site;
}

/**
 * Makes a site with its row for "in no cluster".
 *
 * @returns that row too, for the directory.
 * @throws HubError DUPLICATE (key)
 */
export async function createSite(
  { em, sites, trail }: SiteContext,
  { name, key }: SiteCreate,
  now: Date,
): Promise<{ site: KnownSite; unassigned: Cluster }> {
  const isTaken = (candidate: string) => sites.byKey(candidate) !== undefined;
  if (key !== undefined && isTaken(key)) throw new HubError("DUPLICATE", "Another site has this key", { field: "key" });
  const made = await em.transactional(async (em) => {
    const rows = addSite(em, { key: key ?? freeKey(siteKeyFrom(name), isTaken), name }, now);
    await em.flush();
    await trail.write(em, { action: "site.create", target: targetOf(rows.site) });
    return rows;
  });
  return { site: sites.put(made.site), unassigned: made.unassigned };
}

/** @throws HubError NOT_FOUND */
export async function changeSite(
  { em, sites, trail }: SiteContext,
  id: string,
  change: SiteChange,
): Promise<KnownSite> {
  const site = await em.transactional(async (em) => {
    const site = await findSite(em, id);
    if (change.name !== undefined) site.name = change.name;
    await em.flush();
    await trail.write(em, { action: "site.change", target: targetOf(site) });
    return site;
  });
  return sites.put(site);
}

/** Its members lose their place in it; its accounts stay. @throws HubError NOT_FOUND, SITE_IN_USE */
export async function deleteSite({ em, sites, trail }: SiteContext, id: string, isEmpty: boolean): Promise<void> {
  const inUse = new HubError("SITE_IN_USE", "This site still has devices, agents, clusters or MQTT credentials");
  try {
    await em.transactional(async (em) => {
      const site = await findSite(em, id);
      if (site.key === DEFAULT_SITE) throw new HubError("SITE_IN_USE", "The default site stays");
      if (!isEmpty) throw inUse;
      await em.nativeDelete(Cluster, { site: id }, { filters: { site: false } });
      await em.nativeDelete(Site, { id });
      await trail.write(em, { action: "site.delete", target: targetOf(site) });
    });
  } catch (error) {
    if (error instanceof ForeignKeyConstraintViolationException) throw inUse; // something came at the same moment
    throw error;
  }
  sites.remove(id);
}

/** Leaves room for a number behind it, in the key of its row for "in no cluster" too. */
function siteKeyFrom(name: string): Key {
  return Key.parse(keyFromName(name, "site").slice(0, 40).replace(/-+$/, ""));
}

function addSite(em: EntityManager, { key, name }: { key: string; name: string }, now: Date) {
  const site = em.create(Site, { id: randomUUID(), key, name, createdAt: now });
  const unassigned = em.create(Cluster, {
    id: randomUUID(),
    site,
    key: key === DEFAULT_SITE ? UNASSIGNED : `${UNASSIGNED}-${key}`,
    name: "Unassigned",
    description: null,
    tags: [],
    unassigned: true,
    createdAt: now,
    updatedAt: now,
  });
  return { site, unassigned };
}

async function findSite(em: EntityManager, id: string): Promise<Site> {
  const site = await em.findOne(Site, { id });
  if (!site) throw new HubError("NOT_FOUND", "There is no such site");
  return site;
}

function targetOf({ id, name }: Site) {
  return { type: "site", id, name };
}
