import { type JWTPayload, SignJWT, UnsecuredJWT, generateKeyPair } from "jose";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SIGN_ON_PROBLEMS, signOnProblem } from "#contracts/sign-on-problems.ts";
import { query } from "#test/fixtures/database.ts";
import { CLIENT } from "#test/fixtures/openid-provider.ts";
import { SETTINGS, type SignOnScene, startSignOn } from "#test/fixtures/sign-on.ts";
import type { Visitor } from "#test/fixtures/visitor.ts";

let scene: SignOnScene;

beforeAll(async () => {
  scene = await startSignOn();
});

beforeEach(async () => {
  scene.provider.tamper = null;
  scene.provider.person = somebody();
  await scene.configure(SETTINGS);
});

afterAll(() => scene.close());

function somebody() {
  const sub = randomUUID();
  return { sub, preferred_username: `person-${sub.slice(0, 8)}`, email: `${sub}@example.org`, email_verified: true };
}

/** Where a log-in led, and what it left behind. */
async function outcome(visitor: Visitor, landing: Promise<{ url: string }>) {
  const { url } = await landing;
  const accounts = await query(scene.hub.databaseUrl, 'select 1 from "user" where username = $1', [
    scene.provider.person["preferred_username"],
  ]);
  const hasSession = visitor.cookie(scene.hub.url, "pb_session") !== undefined;
  return { path: url.replace(scene.hub.url, ""), hasSession, accounts: accounts.length };
}

/** A person reads a sentence, is logged in as nobody and has no account. */
const refused = (problem: string) => ({ path: `/login?problem=${problem}`, hasSession: false, accounts: 0 });

const without = (claims: JWTPayload, name: string) =>
  Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;

describe("a log-in by the provider", () => {
  test("that the person does not want any more is told so", async () => {
    const visitor = scene.visitor();
    expect(await outcome(visitor, scene.logIn(visitor, { decision: "deny" }))).toEqual(refused("DENIED"));
  });

  test("of somebody unknown is refused where nobody gets an account", async () => {
    await scene.configure({ autoProvision: false });
    const visitor = scene.visitor();
    expect(await outcome(visitor, scene.logIn(visitor))).toEqual(refused("NOT_PROVISIONED"));
  });

  test.each([
    ["DOMAIN_NOT_ALLOWED", { email: "somebody@evil.example" }],
    ["EMAIL_UNVERIFIED", { email: "somebody@allowed.example", email_verified: false }],
    ["CLAIM_MISSING", { email: undefined }],
  ])("of somebody unknown is refused for the address: %s", async (problem, claims) => {
    await scene.configure({ allowedDomains: ["allowed.example"] });
    scene.provider.person = { ...scene.provider.person, ...claims };
    const visitor = scene.visitor();
    expect(await outcome(visitor, scene.logIn(visitor))).toEqual(refused(problem));
  });

  test.each<[string, string, (claims: JWTPayload) => JWTPayload]>([
    ["another nonce", "NOT_TRUSTED", (claims) => ({ ...claims, nonce: "another" })],
    ["no nonce", "CLAIM_MISSING", (claims) => without(claims, "nonce")],
    ["another issuer", "NOT_TRUSTED", (claims) => ({ ...claims, iss: "https://evil.example" })],
    ["another client", "NOT_TRUSTED", (claims) => ({ ...claims, aud: "another" })],
    ["no sub", "CLAIM_MISSING", (claims) => without(claims, "sub")],
    ["a sub that the userinfo does not have", "NOT_TRUSTED", (claims) => ({ ...claims, sub: "root" })],
    ["an end two minutes ago", "CLOCKS_DIFFER", (claims) => ({ ...claims, exp: inSeconds(-120) })],
    ["a beginning in two minutes", "CLOCKS_DIFFER", (claims) => ({ ...claims, nbf: inSeconds(120) })],
    ["a date of issue in two minutes", "CLOCKS_DIFFER", (claims) => ({ ...claims, iat: inSeconds(120) })],
  ])("whose ID token has %s is refused: %s", async (_what, problem, tamper) => {
    scene.provider.tamper = tamper;
    const visitor = scene.visitor();
    expect(await outcome(visitor, scene.logIn(visitor))).toEqual(refused(problem));
  });

  test.each([-40, 40])("is let in while the clocks differ by %i s", async (seconds) => {
    scene.provider.tamper = (claims) => ({
      ...claims,
      iat: inSeconds(seconds),
      exp: inSeconds(seconds < 0 ? -40 : 600),
    });
    expect((await scene.logIn(scene.visitor())).url).toBe(`${scene.hub.url}/`);
  });

  test("whose ID token somebody else signed, or nobody, is refused", async () => {
    const { privateKey } = await generateKeyPair("ES256");
    const sign = (claims: JWTPayload, alg: string, key: Parameters<SignJWT["sign"]>[0]) =>
      new SignJWT(claims).setProtectedHeader({ alg, kid: "test" }).sign(key);
    for (const tamper of [
      (claims: JWTPayload) => sign(claims, "ES256", privateKey),
      (claims: JWTPayload) => sign(claims, "HS256", Buffer.from(CLIENT.clientSecret)),
      async (claims: JWTPayload) => new UnsecuredJWT(claims).encode(),
    ]) {
      scene.provider.tamper = tamper;
      const visitor = scene.visitor();
      expect(await outcome(visitor, scene.logIn(visitor))).toEqual(refused("NOT_TRUSTED"));
    }
  });

  test("whose answer has another state, none, or two, is refused", async () => {
    for (const change of [
      (search: URLSearchParams) => search.set("state", "another"),
      (search: URLSearchParams) => search.delete("state"),
      (search: URLSearchParams) => search.append("state", "another"),
    ]) {
      const visitor = scene.visitor();
      const callback = await scene.halfway(visitor);
      change(callback.searchParams);
      expect(await outcome(visitor, visitor.open(callback.href))).toEqual(refused("STATE_MISMATCH"));
    }
  });

  test("whose answer comes to another browser, or to one whose cookie is not ours, is refused", async () => {
    const callback = await scene.halfway(scene.visitor());
    const stranger = scene.visitor();
    expect(await outcome(stranger, stranger.open(callback.href))).toEqual(refused("FLOW_EXPIRED"));

    const visitor = scene.visitor();
    const own = await scene.halfway(visitor);
    visitor.setCookie(own.href, "pb_sign_on", `${visitor.cookie(own.href, "pb_sign_on")?.slice(0, -4)}AAAA`);
    expect(await outcome(visitor, visitor.open(own.href))).toEqual(refused("FLOW_EXPIRED"));
  });

  test("can be finished once, even by who kept cookie and answer", async () => {
    const visitor = scene.visitor();
    const callback = await scene.halfway(visitor);
    const cookie = visitor.cookie(callback.href, "pb_sign_on") ?? "";
    expect((await visitor.open(callback.href)).url).toBe(`${scene.hub.url}/`);
    expect(visitor.cookie(callback.href, "pb_sign_on")).toBeUndefined();
    const again = await fetch(callback, { redirect: "manual", headers: { cookie: `pb_sign_on=${cookie}` } });
    expect(again.headers.get("location")).toBe("/login?problem=FLOW_EXPIRED");
  });

  test("with a code that the provider did not give is refused", async () => {
    const visitor = scene.visitor();
    const callback = await scene.halfway(visitor);
    callback.searchParams.set("code", "guessed");
    expect(await outcome(visitor, visitor.open(callback.href))).toEqual(refused("FLOW_EXPIRED"));
  });

  test("with a code of another log-in is refused: it fits no other verifier", async () => {
    const stolen = (await scene.halfway(scene.visitor())).searchParams.get("code") ?? "";
    const visitor = scene.visitor();
    const callback = await scene.halfway(visitor);
    callback.searchParams.set("code", stolen);
    expect(await outcome(visitor, visitor.open(callback.href))).toEqual(refused("FLOW_EXPIRED"));
  });

  test("whose provider answers with an error of its own does not show that error's words", async () => {
    const visitor = scene.visitor();
    const callback = await scene.halfway(visitor);
    callback.searchParams.delete("code");
    callback.searchParams.set("error", "server_error");
    callback.searchParams.set("error_description", "Call 555-EVIL");
    expect(await outcome(visitor, visitor.open(callback.href))).toEqual(refused("PROVIDER_REFUSED"));
  });

  test("whose secret the provider does not know is refused", async () => {
    await scene.configure({ clientSecret: "another" });
    const visitor = scene.visitor();
    expect(await outcome(visitor, scene.logIn(visitor))).toEqual(refused("PROVIDER_REFUSED"));
  });

  test("whose provider is down by now is refused", async () => {
    const visitor = scene.visitor();
    const callback = await scene.halfway(visitor);
    await scene.provider.stop();
    const ended = await outcome(visitor, visitor.open(callback.href));
    await scene.provider.start();
    expect(ended).toEqual(refused("PROVIDER_UNREACHABLE"));
  });

  test("is slowed down after twenty steps a minute from one address", async () => {
    const visitor = scene.visitor();
    const steps = [];
    for (let step = 0; step < 21; step++)
      steps.push(await outcome(visitor, visitor.open(`${scene.hub.url}/api/auth/callback`)));
    expect(steps).toEqual([...Array.from({ length: 20 }, () => refused("FLOW_EXPIRED")), refused("TOO_MANY_TRIES")]);
  });

  test("does not lead out of the page", async () => {
    for (const returnTo of [
      "//evil.example",
      "/\\evil.example",
      "https://evil.example",
      "/\t/evil.example",
      "/api/auth/login/oauth",
    ])
      expect((await scene.logIn(scene.visitor(), { returnTo })).url).toBe(`${scene.hub.url}/`);
  });
});

test("a refusal stands in the audit log with its reason", async () => {
  await scene.logIn(scene.visitor(), { decision: "deny" });
  await expect
    .poll(() =>
      query(
        scene.hub.databaseUrl,
        "select action, actor_type, result, reason, target_name from audit where reason = 'DENIED' order by id desc limit 1",
      ),
    )
    .toEqual([
      { action: "session.login", actor_type: "stranger", result: "refused", reason: "DENIED", target_name: "Home" },
    ]);
});

describe("while log-ins by a provider are off", () => {
  test("there is nothing at their routes, not even for who has begun", async () => {
    const visitor = scene.visitor();
    const callback = await scene.halfway(visitor);
    await scene.configure({ enabled: false });
    for (const url of [`${scene.hub.url}/api/auth/login/oauth`, callback.href]) {
      const { status, text, headers } = await visitor.open(url);
      expect(status).toBe(404);
      expect(JSON.parse(text)).toMatchObject({ code: "ROUTE_NOT_FOUND" });
      expect(headers.get("location")).toBeNull();
    }
    expect((await scene.hub.api.post("/auth/identities")).status).toBe(404);
  });
});

test("each problem has a sentence, and nothing else in an address has one", () => {
  for (const code of Object.keys(SIGN_ON_PROBLEMS)) expect(signOnProblem(code)).toMatch(/^[A-Z].*\.$/);
  for (const code of [null, "", "constructor", "toString", "You won!"]) expect(signOnProblem(code)).toBeUndefined();
});
