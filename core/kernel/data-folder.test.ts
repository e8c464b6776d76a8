import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keptSecret, openDataFolder } from "./data-folder.ts";
import { StartError } from "./start-error.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "powerbeacon-data-"));
  chmodSync(folder, 0o755);
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const modeOf = (path: string) => statSync(path).mode & 0o777;

describe("the data folder", () => {
  test("is made with everything above it, and its secrets are for one user alone", () => {
    const path = join(folder, "a", "b");
    openDataFolder(path);
    expect(modeOf(path)).toBe(0o711);
    expect(modeOf(join(path, "secrets"))).toBe(0o700);
  });

  test("is opened again and again", () => {
    openDataFolder(folder);
    expect(() => openDataFolder(folder)).not.toThrow();
  });

  test("that cannot be made is answered in one sentence", () => {
    const path = join(folder, "file");
    writeFileSync(path, "");
    expect(() => openDataFolder(path)).toThrow(StartError);
    expect(() => openDataFolder(path)).toThrow(
      `The data folder ${path} cannot be written (EEXIST). Give the hub a folder of its own with DATA_DIR.`,
    );
  });
});

describe("a kept secret", () => {
  beforeEach(() => openDataFolder(folder));

  test("is made once and kept with mode 0600", () => {
    const secret = keptSecret(folder, "jwt-secret");
    expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(keptSecret(folder, "jwt-secret")).toBe(secret);
    expect(modeOf(join(folder, "secrets", "jwt-secret"))).toBe(0o600);
    expect(readdirSync(join(folder, "secrets"))).toEqual(["jwt-secret"]);
  });

  test("that somebody wrote stays as it is", () => {
    writeFileSync(join(folder, "secrets", "jwt-secret"), "theirs\n");
    expect(keptSecret(folder, "jwt-secret", () => "ours")).toBe("theirs");
  });

  test("is another one for another name", () => {
    expect(keptSecret(folder, "a")).not.toBe(keptSecret(folder, "b"));
  });

  test("is made anew where a power cut left an empty file", () => {
    writeFileSync(join(folder, "secrets", "jwt-secret"), "");
    expect(keptSecret(folder, "jwt-secret", () => "ours")).toBe("ours");
    expect(readFileSync(join(folder, "secrets", "jwt-secret"), "utf8")).toBe("ours");
  });

  test("that cannot be read is answered in one sentence", () => {
    expect(() => keptSecret(folder, ".")).toThrow(`The secret ${join(folder, "secrets")} cannot be read (EISDIR)`);
  });
});
