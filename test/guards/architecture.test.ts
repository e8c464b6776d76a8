import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { type SourceFile, sourceFiles } from "./source-files.ts";

/**
 * Who may import whom. A room is a folder; each of these may import itself, `#contracts`, and the rooms named.
 * Packages from npm are free, but for the contracts, which know zod alone.
 */

/** The features of the core, in order: each may import those before it. */
const FEATURES = [
  "sites",
  "audit",
  "auth",
  "members",
  "clusters",
  "agents",
  "devices",
  "power",
  "wake",
  "power-methods",
  "leases",
  "power-off",
  "dependencies",
  "doctor",
  "schedules",
  "live",
  "discovery",
  "requests",
  "users",
  "sign-on",
  "mqtt-clients",
  "imports",
  "own-broker",
  "bridge",
  "broker-store",
  "http",
];

const PARTS = new Set(["broker", "agent", "ha-discovery", "web"]);

/** These connect the parts, so they may import anything. */
const COMPOSERS = [
  /^(core|broker|agent|ha-discovery|web)\/main\.ts$/,
  /^core\/(api|brokers|embedded-broker|http-doors|hub|hub-database|home-assistant|machines|mqtt-doors|outer-broker|people|powering-off|powerbeacon|scheduling|site-content)\.ts$/,
  /^(mikro-orm|vitest)\.config\.ts$/,
  /^test\//,
];

const IMPORT = /^\s*(?:import|export)\s[^"']*?from\s+"([^"]+)"|^\s*import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gm;

function importsOf({ path, text }: SourceFile): string[] {
  return [...text.matchAll(IMPORT)]
    .map((match) => match[1] ?? match[2] ?? match[3] ?? "")
    .map((specifier) => resolved(specifier, path));
}

/** A path from the project's root for our own files, else the specifier of the package. */
function resolved(specifier: string, importer: string): string {
  if (specifier.startsWith("#contracts/")) return specifier.replace("#contracts/", "core/contracts/");
  if (specifier.startsWith("#core/")) return specifier.replace("#core/", "core/");
  if (specifier.startsWith("#test/")) return specifier.replace("#test/", "test/");
  return specifier.startsWith(".") ? normalize(join(dirname(importer), specifier)) : specifier;
}

/** What is wrong with an import, or undefined. */
function problemOf(file: SourceFile, target: string): string | undefined {
  const isOwn =
    /^(core|broker|agent|ha-discovery|web|test)\//.test(target) ||
    target.endsWith(".config.ts") ||
    target === "package.json";
  const [part = "", room = ""] = file.path.split("/");
  if (part === "core" && room === "contracts")
    return target === "zod" || target.startsWith("core/contracts/") || isTestImport(file, target)
      ? undefined
      : "contracts know zod alone";
  if (!isOwn || COMPOSERS.some((composer) => composer.test(file.path))) return undefined;
  if (isTestImport(file, target) || target.startsWith("core/contracts/")) return undefined;
  if (PARTS.has(part))
    return target.startsWith(`${part}/`) || target === "package.json"
      ? undefined
      : `${part} knows the contracts and itself alone`;
  const [targetPart, targetRoom = ""] = target.split("/");
  if (targetPart !== "core")
    return target === "package.json" && file.path === "core/version.ts"
      ? undefined
      : "the core does not know the other parts";
  if (target.endsWith(".entity.ts") && FEATURES.includes(targetRoom))
    return room === "kernel" ? "the kernel knows no feature" : undefined; // rows are common ground
  if (targetRoom === "kernel") return undefined;
  if (room === "kernel") return "the kernel knows no feature";
  const [from, to] = [FEATURES.indexOf(room), FEATURES.indexOf(targetRoom)];
  if (from === -1) return file.path.endsWith(".test.ts") ? undefined : `${file.path} is in no room of the table`;
  return to !== -1 && to <= from ? undefined : `${room} comes before ${targetRoom}`;
}

function isTestImport({ path }: SourceFile, target: string): boolean {
  const isTestCode = path.endsWith(".test.ts") || path.includes("/fixtures/");
  return isTestCode && (target.startsWith("test/") || !/^(core|broker|agent)\//.test(target));
}

test("every import follows the table of who may import whom", () => {
  const files = sourceFiles();
  expect(files.length).toBeGreaterThan(50);
  const problems = files.flatMap((file) =>
    importsOf(file).flatMap((target) => {
      const problem = problemOf(file, target);
      return problem ? [`${file.path} → ${target}: ${problem}`] : [];
    }),
  );
  expect(problems).toEqual([]);
});

test("the check sees a forbidden import", () => {
  const file = (path: string) => ({ path, text: "" });
  expect(problemOf(file("core/contracts/key.ts"), "core/kernel/errors.ts")).toBeDefined();
  expect(problemOf(file("core/devices/devices.service.ts"), "core/wake/wake.service.ts")).toBeDefined();
  expect(problemOf(file("broker/broker.ts"), "core/kernel/errors.ts")).toBeDefined();
  expect(problemOf(file("core/kernel/link.ts"), "core/auth/user.entity.ts")).toBeDefined();
  expect(problemOf(file("core/wake/wake.service.ts"), "broker/broker.ts")).toBeDefined();
});

test("no folder hides its files behind an index.ts", () => {
  expect(sourceFiles().filter(({ path }) => path.endsWith("/index.ts"))).toEqual([]);
});

test("no topic is spelled outside the contracts", () => {
  const spelled = /["'`](?:hub|cluster|device|agent)\/(?:status|info|\+|\$\{)/;
  const offenders = sourceFiles().filter(
    ({ path, text }) => !/^core\/contracts\/|^test\/|\.test\.ts$|testing\.ts$/.test(path) && spelled.test(text),
  );
  expect(offenders.map(({ path }) => path)).toEqual([]);
});
