import { afterAll, beforeAll, expect, test } from "vitest";
import { passwordsOfPeople, quickPasswords } from "#test/fixtures/quick-passwords.ts";
import { hashPassword, verifyPassword } from "./passwords.ts";

beforeAll(passwordsOfPeople);
afterAll(quickPasswords);

test("a password is kept as argon2id with the cost that OWASP recommends, with a salt of its own", async () => {
  const [one, other] = await Promise.all([hashPassword("correct horse"), hashPassword("correct horse")]);
  for (const hash of [one, other]) expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,p=1,t=2\$/);
  expect(one).not.toBe(other);
  expect(await verifyPassword(one, "correct horse")).toBe(true);
  expect(await verifyPassword(one, "correct house")).toBe(false);
});
