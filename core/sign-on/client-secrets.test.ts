import { randomBytes, randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { ClientSecrets } from "./client-secrets.ts";

const key = () => randomBytes(32).toString("base64url");

test("a secret is read again with the same key for the same provider, and no other way", async () => {
  const [secrets, id] = [new ClientSecrets(key()), randomUUID()];
  const sealed = await secrets.seal(id, "hush");
  expect(await secrets.open(id, sealed)).toBe("hush");
  await expect(secrets.open(randomUUID(), sealed)).rejects.toThrow("another provider");
  await expect(new ClientSecrets(key()).open(id, sealed)).rejects.toThrow();
  await expect(secrets.open(id, `${sealed.slice(0, -3)}AAA`)).rejects.toThrow();
});

test("the same secret never looks the same", async () => {
  const [secrets, id] = [new ClientSecrets(key()), randomUUID()];
  expect(await secrets.seal(id, "hush")).not.toBe(await secrets.seal(id, "hush"));
});
