import type { FastifyRequest } from "fastify";
import { Readable } from "node:stream";
import { AuditExportQuery, AuditList, AuditQuery } from "#contracts/api/audit.ts";
import type { Database } from "../kernel/database.ts";
import type { App } from "../kernel/routes.ts";
import { asCsv, asJson } from "./audit-export.ts";
import { type AuditView, auditPages, auditView, readAuditPage } from "./audit-history.ts";
import type { Audit } from "./audit.service.ts";

export function auditRoutes(app: App, { database, audit }: { database: Database; audit: Audit }): void {
  app.get(
    "/audit",
    {
      config: { permission: "audit:read" },
      schema: {
        summary: "Who did what from where, newest first",
        querystring: AuditQuery,
        response: { 200: AuditList },
      },
    },
    async (request) => {
      await audit.flush();
      return await readAuditPage(viewOf(request, request.query.scope), request.query, request.query);
    },
  );

  app.get(
    "/audit/export",
    {
      config: { permission: "audit:read" },
      schema: {
        summary: "Every row that fits, oldest first, as CSV or as a JSON array",
        querystring: AuditExportQuery,
      },
    },
    async (request, reply) => {
      const { format, ...filter } = request.query;
      await audit.flush();
      const pages = await auditPages(viewOf(request, filter.scope), filter);
      const day = new Date().toISOString().slice(0, 10);
      return reply
        .type(format === "csv" ? "text/csv; charset=utf-8; header=present" : "application/json; charset=utf-8")
        .header("content-disposition", `attachment; filename="powerbeacon-audit-${day}.${format}"`)
        .send(Readable.from(format === "csv" ? asCsv(pages) : asJson(pages), { objectMode: false }));
    },
  );

  function viewOf({ account, em }: FastifyRequest, scope: AuditQuery["scope"]): AuditView {
    return auditView({ role: account.role, siteId: account.siteId, em }, scope, database);
  }
}
