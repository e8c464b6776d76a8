import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { ROOT, sourceFiles } from "../guards/source-files.ts";
import { buildContext } from "./build-context.ts";
import { assignments, execForm, parseDockerfile, stepsOf } from "./dockerfile.ts";

const BASE = `node:${packageJson.dependencies.node}-trixie-slim`;

describe.each(["core/Dockerfile", "agent/Dockerfile"])("%s", (path) => {
  const stages = parseDockerfile(readFileSync(join(ROOT, path), "utf8"));
  const image = stages.at(-1)!;
  const last = (instruction: string) => stepsOf(image, instruction).at(-1)?.text ?? "";

  test("builds in several stages, all on the very Node that the tests run on", () => {
    expect(stages.length).toBeGreaterThan(1);
    expect(new Set(stages.map(({ base }) => base))).toEqual(new Set([BASE]));
  });

  test("builds on the builder's platform only what is the same on all", () => {
    const here = stages.filter(({ platform }) => platform === "$BUILDPLATFORM").map(({ name }) => name);
    expect(here).toEqual([path.startsWith("core") ? "page" : "bundle"]);
    expect(image.platform).toBeUndefined();
  });

  test("copies what there is, from the project and from stages before", () => {
    const context = buildContext();
    const isThere = (source: string) => context.some((file) => `${file}/`.startsWith(`${source}/`));
    const missing = stages.flatMap((stage, index) => {
      const before = new Set(stages.slice(0, index).map(({ name }) => name));
      return stepsOf(stage, "COPY").filter(({ flags, text }) => {
        const sources = text.split(/\s+/).slice(0, -1);
        return flags["from"] === undefined ? !sources.every(isThere) : !before.has(flags["from"]);
      });
    });
    expect(missing).toEqual([]);
  });

  test("does not run as root, and owns the folder that it writes to", () => {
    expect(last("USER")).toBe("1000:1000");
    expect(stepsOf(image, "RUN").map(({ text }) => text)).toContainEqual(
      expect.stringMatching(
        new RegExp(`^install --directory --owner=1000 --group=1000 --mode=07\\d\\d ${last("VOLUME")}$`),
      ),
    );
    const env = stepsOf(image, "ENV").map(({ text }) => assignments(text));
    expect(Object.values(Object.assign({}, ...env))).toContain(last("VOLUME"));
  });

  test("starts without a shell, so that SIGTERM reaches it, and tells how it is", () => {
    expect(last("STOPSIGNAL")).toBe("SIGTERM");
    expect(execForm(last("CMD"))?.[0]).toBe("node");
    expect(execForm(last("HEALTHCHECK").replace("CMD", "").trim())?.[0]).toBe("node");
    expect(Object.keys(stepsOf(image, "HEALTHCHECK")[0]?.flags ?? {})).toEqual([
      "interval",
      "timeout",
      "start-period",
      "retries",
    ]);
  });

  test("is labelled with this version and its base", () => {
    expect(assignments(last("LABEL"))).toMatchObject({
      "org.opencontainers.image.title": expect.stringContaining("PowerBeacon"),
      "org.opencontainers.image.version": packageJson.version,
      "org.opencontainers.image.licenses": packageJson.license,
      "org.opencontainers.image.base.name": `docker.io/library/${BASE}`,
    });
  });

  test("needs the system's root only for what makes Debian ready", () => {
    for (const { text } of stepsOf(image, "RUN")) expect(text).toMatch(/^(apt-get|install) /);
  });
});

test("the hub starts in its container as it does from npm", () => {
  const [image] = parseDockerfile(readFileSync(join(ROOT, "core/Dockerfile"), "utf8")).slice(-1);
  const command = execForm(stepsOf(image!, "CMD")[0]?.text ?? "")?.join(" ");
  expect(command).toBe(packageJson.scripts.start.replace("--env-file-if-exists=.env ", ""));
});

describe("what a build gets to see", () => {
  const context = buildContext();

  test("are sources, without tests, data and what was built here", () => {
    expect(context).toEqual(
      expect.arrayContaining(["package.json", "core/main.ts", "agent/main.ts", "web/index.html"]),
    );
    const tops = new Set(context.map((path) => path.split("/", 1)[0]));
    for (const absent of [".git", ".env", "data", "dist", "node_modules", "test", "docs"])
      expect(tops).not.toContain(absent);
    expect(context.filter((path) => /\.test\.ts$|\/fixtures\/|Dockerfile$/.test(path))).toEqual([]);
  });

  test("import nothing that is there for tests alone", () => {
    const shipped = sourceFiles().filter(({ path }) => context.includes(path));
    const importing = shipped.filter(({ text }) => /from "(#test\/|vitest|[./]+(testing|raw-client)\.ts)/.test(text));
    expect(importing.map(({ path }) => path)).toEqual([]);
  });

  test("are all the parts that the hub is made of", () => {
    const stages = parseDockerfile(readFileSync(join(ROOT, "core/Dockerfile"), "utf8"));
    const copied = stages.flatMap((stage) => stepsOf(stage, "COPY")).map(({ text }) => text.split(/\s+/)[0]);
    const ofTheCore = sourceFiles().filter(({ path }) => path.startsWith("core/") && context.includes(path));
    const parts = ofTheCore.flatMap(({ path, text }) =>
      [...text.matchAll(/ from "(\.\.\/[^"]+)"/g)].map((match) => join(path, "..", match[1] ?? "").split("/")[0]),
    );
    expect(new Set(parts)).toContain("broker");
    expect(copied).toEqual(expect.arrayContaining(parts.filter((part) => part?.includes(".") === false)));
  });
});
