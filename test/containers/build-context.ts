import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../guards/source-files.ts";

/**
 * The files that a build gets to see: those of the project that `.dockerignore` lets through, by their path from its root.
 *
 * The last pattern that fits a path, or a folder above it, decides.
 */
export function buildContext(): string[] {
  const rules = readFileSync(join(ROOT, ".dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => ({ lets: line.startsWith("!"), pattern: patternOf(line.replace(/^!/, "")) }));
  const isLetIn = (path: string) => {
    const above = path.split("/").map((_, depth, parts) => parts.slice(0, depth + 1).join("/"));
    return rules.findLast(({ pattern }) => above.some((part) => pattern.test(part)))?.lets ?? true;
  };
  // our patterns let in no path below a folder that they keep out, so such a folder need not be entered
  const filesIn = (folder: string): string[] =>
    readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (!isLetIn(path)) return [];
      return entry.isDirectory() ? filesIn(path) : [path];
    });
  return filesIn("");
}

/** `**` stands for any number of folders, `*` for a part of one name. */
function patternOf(line: string): RegExp {
  const source = line
    .trim()
    .replace(/^\/|\/$/g, "")
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll(/\*\*\/|\*/g, (stars) => (stars === "*" ? "[^/]*" : "(?:.*/)?"));
  return new RegExp(`^${source}$`);
}
