import type { FastifyRequest } from "fastify";
import {
  type ExportFormat,
  ExportQuery,
  ImportInput,
  ImportPreview,
  ImportPreviewInput,
  ImportResult,
} from "#contracts/api/imports.ts";
import { reachFor } from "#contracts/permissions.ts";
import type { Accounts } from "../auth/accounts.ts";
import type { App } from "../kernel/routes.ts";
import type { Directory } from "../members/directory.ts";
import { columnsFor, exported } from "./exports.rules.ts";
import { fieldsOf } from "./fields.rules.ts";
import { type ImportsContext, applyImport, previewImport } from "./imports.service.ts";
import { Reader } from "./reader.ts";

/** The largest text with each of its characters escaped in JSON, and every device chosen. */
const BODY_LIMIT_BYTES = 4 * 1024 * 1024;

const FILES: Readonly<Record<ExportFormat, { readonly name: string; readonly type: string }>> = {
  csv: { name: "powerbeacon-devices.csv", type: "text/csv; charset=utf-8; header=present" },
  "home-assistant": { name: "powerbeacon-devices.yaml", type: "application/yaml; charset=utf-8" },
  upsnap: { name: "powerbeacon-upsnap.json", type: "application/json; charset=utf-8" },
  ethers: { name: "ethers", type: "text/plain; charset=utf-8" },
};

export function importRoutes(app: App, { directory, accounts }: { directory: Directory; accounts: Accounts }): void {
  const reader = new Reader();

  app.post(
    "/imports/preview",
    {
      bodyLimit: BODY_LIMIT_BYTES,
      config: { permission: "device:create" },
      schema: {
        summary: "What an import would make and change; nothing is done",
        body: ImportPreviewInput,
        response: { 200: ImportPreview },
      },
    },
    async (request) => await previewImport(contextOf(request), request.body),
  );

  app.post(
    "/imports",
    {
      bodyLimit: BODY_LIMIT_BYTES,
      config: { permission: "device:create" },
      schema: {
        summary: "Make and change what was chosen of a preview, all of it or nothing",
        body: ImportInput,
        response: { 200: ImportResult },
      },
    },
    async (request) => await applyImport(contextOf(request), request.body, new Date()),
  );

  app.get(
    "/exports/devices",
    {
      config: { permission: "device:read" },
      schema: {
        summary: "Every device of the site, as a file for others; without passwords",
        querystring: ExportQuery,
      },
    },
    async (request, reply) => {
      const { account, query } = request;
      const devices = [...directory.devices]
        .filter(({ siteId }) => siteId === account.siteId)
        .toSorted((one, other) => (one.key < other.key ? -1 : 1))
        .map((device) => fieldsOf(device, directory));
      const columns = columnsFor({ seesAgents: reachFor(account, "agent:read") !== undefined });
      const { name, type } = FILES[query.format];
      return reply
        .type(type)
        .header("content-disposition", `attachment; filename="${name}"`)
        .send(exported(query.format, devices, columns));
    },
  );

  function contextOf({ em, trail, account }: FastifyRequest): ImportsContext {
    return { em, directory, trail, accounts, actor: account, siteId: account.siteId, reader };
  }
}
