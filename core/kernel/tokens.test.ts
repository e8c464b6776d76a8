import { describe, expect, test } from "vitest";
import { equalHashes, hashToken, randomSecret } from "./tokens.ts";

describe("a random secret", () => {
  const secrets = Array.from({ length: 2_000 }, () => randomSecret());

  test("has 26 characters of base 32", () => {
    for (const secret of secrets) expect(secret).toMatch(/^[a-z2-7]{26}$/);
  });

  test("never comes twice", () => {
    expect(new Set(secrets).size).toBe(secrets.length);
  });

  test("is random at every place", () => {
    for (let place = 0; place < 26; place++) expect(new Set(secrets.map((secret) => secret[place])).size).toBe(32);
  });
});

describe("a hash", () => {
  test("is the SHA-256 in hexadecimal, of text and of bytes alike", () => {
    const expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    expect(hashToken("abc")).toBe(expected);
    expect(hashToken(Buffer.from("abc"))).toBe(expected);
  });

  test.each([
    ["the same", hashToken("a"), hashToken("a"), true],
    ["another", hashToken("a"), hashToken("b"), false],
    ["a shorter one", hashToken("a"), hashToken("a").slice(1), false],
    ["nothing", hashToken("a"), "", false],
  ])("is compared with %s", (_what, a, b, equal) => {
    expect(equalHashes(a, b)).toBe(equal);
  });
});
