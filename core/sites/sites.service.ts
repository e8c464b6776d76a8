import { randomUUID } from "node:crypto";
import type { EntityManager } from "@mikro-orm/postgresql";
import { UNASSIGNED } from "#contracts/key.ts";
import { Cluster } from "../clusters/cluster.entity.ts";
import { Site } from "./site.entity.ts";

const DEFAULT_SITE = "default";

/** The site that a new hub has, with its row for "in no cluster". Makes both at the first start. */
export async function ensureDefaultSite(em: EntityManager, now: Date): Promise<Site> {
  const found = await em.findOne(Site, { key: DEFAULT_SITE });
  if (found) return found;
  const site = em.create(Site, { id: randomUUID(), key: DEFAULT_SITE, name: "Default", createdAt: now });
  const texts = { key: UNASSIGNED, name: "Unassigned", description: null, tags: [] };
  em.create(Cluster, { id: randomUUID(), site, ...texts, unassigned: true, createdAt: now, updatedAt: now });
  await em.flush();
  return site;
}
