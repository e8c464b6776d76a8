import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SealedSecrets } from "./sealed-secrets.ts";

let dataDir: string;
let secrets: SealedSecrets;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "powerbeacon-sealed-"));
  mkdirSync(join(dataDir, "secrets"));
  secrets = new SealedSecrets(dataDir);
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const keysOf = () => readFileSync(join(dataDir, "secrets/device-secret-keys"), "utf8").split("\n");

test("what is sealed for a row is read again for that row alone, also by a hub that starts anew", async () => {
  const sealed = await secrets.seal("row-1", { privateKey: "top secret" });
  expect(sealed).not.toContain("secret");
  expect(await new SealedSecrets(dataDir).open("row-1", sealed)).toEqual({ privateKey: "top secret" });
  await expect(secrets.open("row-2", sealed)).rejects.toThrow("belongs to another row");
});

test("the same secret never looks the same twice, and one that was changed is not opened", async () => {
  const [one, other] = [await secrets.seal("row", { a: 1 }), await secrets.seal("row", { a: 1 })];
  expect(one).not.toBe(other);
  const parts = one.split(".");
  const text = Buffer.from(parts[3] ?? "", "base64url");
  text[0] = (text[0] ?? 0) ^ 1;
  parts[3] = text.toString("base64url");
  await expect(secrets.open("row", parts.join("."))).rejects.toThrow();
});

test("a key of another data folder opens nothing", async () => {
  const sealed = await secrets.seal("row", { a: 1 });
  rmSync(join(dataDir, "secrets/device-secret-keys"));
  await expect(secrets.open("row", sealed)).rejects.toThrow("not there any more");
});

test("a new key seals from then on, the old one opens what it sealed until it is dropped", async () => {
  const before = await secrets.seal("row", { a: 1 });
  const other = new SealedSecrets(dataDir); // a hub that runs meanwhile
  secrets.addKey();
  expect(keysOf()).toHaveLength(2);
  expect(other.isCurrent(before)).toBe(false);
  const after = await other.seal("row", (await other.open("row", before)) as object);
  expect(other.isCurrent(after)).toBe(true);
  secrets.dropOldKeys();
  expect(await other.open("row", after)).toEqual({ a: 1 });
  await expect(other.open("row", before)).rejects.toThrow("not there any more");
});

test("the keys are for the hub's own user alone", async () => {
  await secrets.seal("row", {});
  expect(statSync(join(dataDir, "secrets/device-secret-keys")).mode & 0o777).toBe(0o600);
});
