import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { needsCommand } from "#test/fixtures/commands.ts";
import { lastingSalt, mosquittoHash } from "./mosquitto-password.ts";

test("a password is hashed as mosquitto_passwd does it", async (context) => {
  needsCommand(context, "mosquitto_passwd", "mosquitto");
  const folder = mkdtempSync(join(tmpdir(), "powerbeacon-passwd-"));
  const file = join(folder, "passwords");
  spawnSync("mosquitto_passwd", ["-c", "-b", file, "nas", "pässword $7$ : with everything"]);
  const theirs = readFileSync(file, "utf8").trim().slice("nas:".length);
  rmSync(folder, { recursive: true });
  const salt = Buffer.from(theirs.split("$")[3] ?? "", "base64");
  expect(await mosquittoHash("pässword $7$ : with everything", salt)).toBe(theirs);
});

test("two hashes of one password have nothing in common, and fit into a row", async () => {
  const [one, other] = [await mosquittoHash("token"), await mosquittoHash("token")];
  expect(one).toMatch(/^\$7\$101\$[A-Za-z0-9+/]{16}\$[A-Za-z0-9+/]{86}==$/);
  expect(one.split("$").slice(3)).not.toEqual(other.split("$").slice(3));
});

test("a lasting salt is the same for the same password alone", () => {
  expect(lastingSalt("secret", "a")).toEqual(lastingSalt("secret", "a"));
  expect(lastingSalt("secret", "a")).not.toEqual(lastingSalt("secret", "b"));
  expect(lastingSalt("secret", "a")).not.toEqual(lastingSalt("other", "a"));
});
