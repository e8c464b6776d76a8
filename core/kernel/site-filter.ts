/**
 * The filter of every row that belongs to a site: on unless named otherwise, and a query without its parameter throws.
 * `em.setFilterParams("site", { siteId })` binds an entity manager to a site.
 */
export const siteFilter = {
  site: { name: "site", cond: (args: { siteId?: string }) => ({ site: args.siteId }), default: true, args: true },
} as const;
