import { describe, expect, test } from "vitest";
import { type RoleSettings, checkDomain, claimAt, profileOf, usernamesLike } from "./profile.rules.ts";

const NO_ROLES: RoleSettings = { roleClaim: null, roleMapping: [], defaultRole: "viewer" };
const ISSUER = "https://login.example.org";

const profile = (claims: object, settings: Partial<RoleSettings> = {}) =>
  profileOf({ iss: ISSUER, sub: "a-1", ...claims }, { ...NO_ROLES, ...settings });

describe("somebody at a provider", () => {
  test("is who issuer and sub say, and has what else is known", () => {
    const claims = { email: "anna@example.org", email_verified: true, name: "Anna A.", preferred_username: "anna" };
    expect(profile(claims)).toEqual({
      issuer: ISSUER,
      subject: "a-1",
      email: "anna@example.org",
      emailVerified: true,
      fullName: "Anna A.",
      username: "anna",
      role: null,
    });
  });

  test.each([
    { sub: undefined },
    { sub: "" },
    { sub: 7 },
    { sub: "a\0b" },
    { sub: "a".repeat(256) },
    { iss: undefined },
  ])("with %j is nobody", (claims) => {
    expect(() => profile(claims)).toThrow(expect.objectContaining({ problem: "CLAIM_MISSING" }));
  });

  test.each([
    [{ email: "anna@example.org" }, { email: "anna@example.org", emailVerified: false }],
    [
      { email: "anna@example.org", email_verified: "true" },
      { email: "anna@example.org", emailVerified: false },
    ],
    [
      { email: "anna@example.org", email_verified: false },
      { email: null, emailVerified: false },
    ],
    [{ email: "no address" }, { email: null }],
    [{ email: ["anna@example.org"] }, { email: null }],
    [{ name: "   " }, { fullName: null }],
    [{ name: "a\0b" }, { fullName: null }],
    [{ name: { first: "Anna" } }, { fullName: null }],
  ])("that says %j has %j", (claims, expected) => {
    expect(profile(claims)).toMatchObject(expected);
  });

  test.each([
    [{ preferred_username: "anna.a" }, "anna.a"],
    [{ preferred_username: "Anna  A." }, "Anna-A."],
    [{ preferred_username: "~admin" }, "-admin"],
    [{ preferred_username: "ab", email: "anna@example.org" }, "anna"],
    [{ email: "a@example.org" }, "a-1"],
    [{ sub: "7" }, "user"],
    [{ preferred_username: "x".repeat(80) }, "x".repeat(50)],
    [{ preferred_username: "A\u0301rpad" }, "Árpad"],
  ])("that says %j could be called %s", (claims, username) => {
    expect(profile(claims).username).toBe(username);
  });
});

test("a name that is taken gets a number, and never becomes too long", () => {
  expect([...usernamesLike("anna").take(3)]).toEqual(["anna", "anna-2", "anna-3"]);
  expect([...usernamesLike("x".repeat(50))].every((name) => name.length <= 50)).toBe(true);
});

describe("a role claim", () => {
  const roleMapping = [
    { value: "hub-admins", role: "admin" },
    { value: "family", role: "user" },
  ] as const;

  test.each([
    ["groups", { groups: ["family", "hub-admins"] }, "admin"],
    ["groups", { groups: "family" }, "user"],
    ["groups", { groups: ["others"] }, "viewer"],
    ["groups", { groups: "hub-admins family" }, "viewer"],
    ["groups", {}, "viewer"],
    ["groups", { groups: null }, "viewer"],
    ["realm.roles", { realm: { roles: ["family"] } }, "user"],
    ["realm.roles", { "realm.roles": ["hub-admins"], realm: { roles: ["family"] } }, "admin"],
    ["https://example.org/roles", { "https://example.org/roles": ["family"] }, "user"],
    ["constructor.name", { groups: "Object" }, "viewer"],
    ["superuser", { superuser: "superuser" }, "viewer"],
  ])("%s of %j makes the role %s", (roleClaim, claims, role) => {
    expect(profile(claims, { roleClaim, roleMapping }).role).toBe(role);
  });

  test("is read from own properties alone", () => {
    expect(claimAt({ a: {} }, "a.constructor")).toBeUndefined();
    expect(claimAt({}, "toString")).toBeUndefined();
  });
});

describe("an account for somebody unknown", () => {
  const check = (claims: object, domains: string[]) => () => checkDomain(profile(claims), claims as never, domains);

  test("needs no e-mail address where all domains are allowed", () => {
    expect(check({}, [])).not.toThrow();
  });

  test("is there for a verified address of an allowed domain", () => {
    expect(check({ email: "anna@Example.ORG", email_verified: true }, ["example.org"])).not.toThrow();
  });

  test.each([
    [{}, "CLAIM_MISSING"],
    [{ email: "anna@example.org" }, "EMAIL_UNVERIFIED"],
    [{ email: "anna@example.org", email_verified: false }, "EMAIL_UNVERIFIED"],
    [{ email: "anna@example.org", email_verified: "true" }, "EMAIL_UNVERIFIED"],
    [{ email: "anna@evil.example", email_verified: true }, "DOMAIN_NOT_ALLOWED"],
    [{ email: "anna@sub.example.org", email_verified: true }, "DOMAIN_NOT_ALLOWED"],
    [{ email: "anna@evilexample.org", email_verified: true }, "DOMAIN_NOT_ALLOWED"],
    [{ email: "anna@example.org@evil.example", email_verified: true }, "DOMAIN_NOT_ALLOWED"],
  ])("is refused for %j: %s", (claims, problem) => {
    expect(check(claims, ["example.org"])).toThrow(expect.objectContaining({ problem }));
  });
});
