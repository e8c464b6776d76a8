import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDataFolder } from "../kernel/data-folder.ts";
import { openSigningKeys, rotateSigningKeys } from "./signing-keys.ts";

const KEPT = { secret: null, previousSecret: null };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "powerbeacon-keys-"));
  openDataFolder(folder);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("the first start makes a key, for the hub's own user alone, and the next finds it", () => {
  const { current } = openSigningKeys(folder, KEPT);
  expect(current.secret.length).toBeGreaterThanOrEqual(32);
  expect(openSigningKeys(folder, KEPT).current).toEqual(current);
  expect(statSync(join(folder, "secrets", "jwt-secret")).mode & 0o777).toBe(0o600);
});

test("of rotated keys two are valid, the newest signs", () => {
  const first = openSigningKeys(folder, KEPT).current;
  rotateSigningKeys(folder);
  const rotated = openSigningKeys(folder, KEPT);
  expect(rotated.current).not.toEqual(first);
  expect(rotated.byId(first.id)).toEqual(first);
  rotateSigningKeys(folder);
  const again = openSigningKeys(folder, KEPT);
  expect(again.byId(rotated.current.id)).toEqual(rotated.current);
  expect(again.byId(first.id)).toBeUndefined();
  expect(readFileSync(join(folder, "secrets", "jwt-secret"), "utf8").split("\n")).toHaveLength(2);
});

test("keys may come from the settings, the former beside the new", () => {
  const [secret, previousSecret] = ["n".repeat(40), "f".repeat(40)];
  const keys = openSigningKeys(folder, { secret, previousSecret });
  const former = openSigningKeys(folder, { secret: previousSecret, previousSecret: null });
  expect(Buffer.from(keys.current.secret).toString()).toBe(secret);
  expect(keys.byId(former.current.id)).toEqual(former.current);
  expect(keys.byId("another")).toBeUndefined();
});
