import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryDirectory } from "../fixtures/scene.ts";
import { jobsIn } from "./jobs.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeEach(async () => {
  directory = await temporaryDirectory();
});

afterEach(() => directory.remove());

async function put(files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(directory.path, "inhibit.d"), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory.path, "inhibit.d", name), text);
}

test("nothing holds a machine up without the folder, and with an empty one", async () => {
  expect(await jobsIn(directory.path)).toEqual([]);
  await put({});
  expect(await jobsIn(directory.path)).toEqual([]);
});

test("a file holds it up by its first line, else by its name; a hidden one does not", async () => {
  await put({ backup: "  Nightly backup \nsince 2:00", transcode: "", ".swp": "of an editor" });
  expect(await jobsIn(directory.path)).toEqual(["Nightly backup", "transcode"]);
});

test("a file with a process id in its name holds it up for as long as that process runs", async () => {
  const { pid } = process;
  const gone = goneProcess();
  await put({ [`backup.${pid}`]: "runs", [`backup.${gone}`]: "was killed", "backup-2026-11-21": "has a date" });
  expect(await jobsIn(directory.path)).toEqual(["has a date", "runs"]);
});

function goneProcess(): number {
  return Number(execFileSync("sh", ["-c", "echo $$"]).toString());
}
