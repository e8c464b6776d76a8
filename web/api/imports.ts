import type { z } from "zod";
import type {
  ExportFormat,
  ImportInput,
  ImportPreview,
  ImportPreviewInput,
  ImportResult,
} from "#contracts/api/imports.ts";
import { call, callForFile } from "./call.ts";

export type ImportSource = z.input<typeof ImportPreviewInput>;
export type ImportChoice = z.input<typeof ImportInput>["chosen"][number];

/** What an import would do. Nothing is done. */
export async function previewImport(source: ImportSource): Promise<ImportPreview> {
  return await call("POST", "/imports/preview", source);
}

/** Does what was chosen of a preview, all of it or nothing; it may be sent twice. */
export async function applyImport(source: ImportSource, chosen: readonly ImportChoice[]): Promise<ImportResult> {
  return await call("POST", "/imports", { ...source, chosen });
}

export async function devicesFile(format: ExportFormat): Promise<Blob> {
  return await callForFile(`/exports/devices?format=${format}`);
}
