import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

const PARTS = ["core", "broker", "agent", "ha-discovery", "web", "test"];

export interface SourceFile {
  /** From the project's root, with slashes: `core/wake/wake.rules.ts`. */
  readonly path: string;
  readonly text: string;
}

/** Every TypeScript file of the project. */
export function sourceFiles(): SourceFile[] {
  const inParts = PARTS.flatMap((part) => filesBelow(join(ROOT, part)));
  const atTop = readdirSync(ROOT)
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(ROOT, name));
  return [...inParts, ...atTop].map((path) => ({
    path: relative(ROOT, path).replaceAll("\\", "/"),
    text: readFileSync(path, "utf8"),
  }));
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name));
}
