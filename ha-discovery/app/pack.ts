import { cpSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join, relative } from "node:path";

/**
 * Lays out `dist/app`, the folder that Home Assistant builds the app from: its supervisor sees nothing outside of it.
 * Copied to `/addons/powerbeacon` there, it is among the local apps.
 */

const ROOT = join(import.meta.dirname, "../..");
const TARGET = join(ROOT, "dist/app");
const PRESENTED = ["config.yaml", "Dockerfile", "README.md", "DOCS.md", "CHANGELOG.md", "icon.png", "translations"];

rmSync(TARGET, { recursive: true, force: true });
mkdirSync(TARGET, { recursive: true });
for (const name of PRESENTED) cpSync(join(import.meta.dirname, name), join(TARGET, name), { recursive: true });
for (const name of [".dockerignore", ...builtFrom()])
  cpSync(join(ROOT, name), join(TARGET, name), { recursive: true, filter: isSource });

/** What .dockerignore lets in, by its lines that begin with `!`. */
function builtFrom(): string[] {
  const lines = readFileSync(join(ROOT, ".dockerignore"), "utf8").split("\n");
  return lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
}

/** The supervisor takes each config.yaml that it finds for another app. */
function isSource(path: string): boolean {
  const inside = relative(ROOT, path);
  return basename(path) !== "node_modules" && inside !== "ha-discovery/app/config.yaml" && !inside.endsWith(".test.ts");
}
