import { randomUUID } from "node:crypto";
import { SignJWT, UnsecuredJWT, decodeJwt } from "jose";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApi } from "#test/fixtures/api.ts";
import { query } from "#test/fixtures/database.ts";
import { ADMIN, type TestHub, startTestHub } from "#test/fixtures/hub.ts";

/** Each test comes from an address of its own, since guessing is slowed down for each address. */
const env = { TRUST_PROXY: "127.0.0.1", SETUP_CODE: "one-time-code" };
let hub: TestHub;
let addresses = 0;
let accounts = 0;

beforeAll(async () => {
  hub = await startTestHub(env);
});

afterAll(async () => {
  await hub.close();
});

const from = (address = `10.0.0.${++addresses}`) => ({ "x-forwarded-for": address });
const anonymous = () => createApi(hub.url);
const logIn = (body: unknown, headers = from()) => anonymous().post("/auth/login", body, headers);

/** An account of its own, since guessing is slowed down for each account, too. */
async function addAccount(): Promise<typeof ADMIN> {
  const username = `Ärztin-${++accounts}`;
  await query(
    hub.databaseUrl,
    `insert into "user" (id, username, superuser, enabled, password_hash, created_at)
     select gen_random_uuid(), $1, superuser, true, password_hash, now() from "user" limit 1`,
    [username],
  );
  return { ...ADMIN, username };
}

async function me(headers: Record<string, string>): Promise<number> {
  return (await anonymous().get("/auth/me", headers)).status;
}

describe("the set-up", () => {
  test("is complete after the first, and then refused", async () => {
    expect((await anonymous().get("/setup/status")).body).toEqual({ complete: true });
    const { status, body } = await anonymous().post("/setup/init", { ...ADMIN, setupCode: env.SETUP_CODE }, from());
    expect({ status, code: body.code }).toEqual({ status: 409, code: "SETUP_COMPLETE" });
  });

  test("refuses a wrong code and a short password, and of five at the same moment lets one through", async () => {
    await query(hub.databaseUrl, 'delete from "user"');
    const init = (fields: object) =>
      anonymous().post("/setup/init", { ...ADMIN, setupCode: env.SETUP_CODE, ...fields }, from());
    expect((await anonymous().get("/setup/status")).body).toEqual({ complete: false });
    expect(await init({ setupCode: "wrong" })).toMatchObject({
      status: 403,
      body: { code: "BAD_SETUP_CODE", errors: [{ path: "setupCode" }] },
    });
    expect(await init({ password: "short" })).toMatchObject({
      status: 422,
      body: { code: "INVALID_INPUT", errors: [{ path: "password" }] },
    });
    expect(await init({ username: "a b", role: "superuser" })).toMatchObject({
      status: 422,
      body: { errors: expect.arrayContaining([{ path: "username", message: expect.any(String) }]) },
    });
    expect(await init({ fullName: "nobody\0" })).toMatchObject({
      status: 422,
      body: { errors: [{ path: "fullName" }] },
    });

    const names = ["admin1", "admin2", "admin3", "admin4", "admin5"];
    const answers = await Promise.all(names.map((username) => init({ username })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(4);
    expect(await query(hub.databaseUrl, 'select superuser from "user"')).toEqual([{ superuser: true }]);
  });

  test("with a provider that cannot be asked makes nothing", async () => {
    await query(hub.databaseUrl, 'delete from "user"');
    const oidc = { enabled: true, issuer: "https://127.0.0.1:1/", clientId: "hub" };
    const answer = await anonymous().post("/setup/init", { ...ADMIN, setupCode: env.SETUP_CODE, oidc }, from());
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: "issuer" }] } });
    expect((await anonymous().get("/setup/status")).body).toEqual({ complete: false });
    const later = { ...ADMIN, setupCode: env.SETUP_CODE, oidc: { ...oidc, enabled: false } };
    expect((await anonymous().post("/setup/init", later, from())).status).toBe(201);
    expect(await query(hub.databaseUrl, "select issuer, enabled from provider")).toEqual([
      { issuer: oidc.issuer, enabled: false },
    ]);
  });

  test("without a code lets nobody in", async () => {
    for (const setupCode of ["", " "])
      expect(await anonymous().post("/setup/init", { ...ADMIN, setupCode }, from())).toMatchObject({ status: 422 });
  });
});

describe("a log-in", () => {
  test("gives a bearer token, a cookie and the account, and never the password", async () => {
    const account = await addAccount();
    const { status, body, headers } = await logIn(account);
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: "bearer",
      expires_in: 86_400,
      user: {
        id: expect.any(String),
        username: account.username,
        email: null,
        fullName: null,
        role: "superuser",
        enabled: true,
        mustChangePassword: false,
        createdAt: expect.any(String),
        lastLoginAt: expect.any(String),
      },
    });
    expect(headers.get("set-cookie")).toMatch(
      /(^|, )pb_session=\S+; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax(,|$)/,
    );
    expect(Object.keys(decodeJwt(body.access_token)).toSorted()).toEqual(["exp", "iat", "sid", "sub"]);
  });

  test("does not care for the case of the name, nor for spaces around it", async () => {
    const { username } = await addAccount();
    for (const form of [username.toLowerCase(), username.toUpperCase(), ` ${username} `])
      expect((await logIn({ ...ADMIN, username: form })).status).toBe(200);
  });

  test("may come as a form", async () => {
    const form = new URLSearchParams(await addAccount()).toString();
    const headers = { ...from(), "content-type": "application/x-www-form-urlencoded" };
    expect((await logIn(form, headers)).status).toBe(200);
    expect(await anonymous().post("/setup/init", form, headers)).toMatchObject({
      status: 415,
      body: { code: "UNSUPPORTED_MEDIA_TYPE" },
    });
  });

  test.each([
    ["a wrong password", { username: "admin1", password: "wrong" }],
    ["an unknown name", { username: "nobody", password: ADMIN.password }],
    ["a name that is a pattern", { username: "%", password: ADMIN.password }],
    ["a name that is another pattern", { username: "_dmin_", password: ADMIN.password }],
  ])("with %s tells no more than that it failed", async (_what, body) => {
    const answer = await logIn(body);
    expect(answer).toMatchObject({
      status: 401,
      body: { code: "BAD_CREDENTIALS", detail: "The user name or the password is wrong", errors: [] },
    });
    expect(answer.headers.get("www-authenticate")).toContain("Bearer");
    expect(answer.headers.get("set-cookie")).toBeNull();
  });

  test("with fields missing or unknown names them", async () => {
    expect((await logIn({ username: "admin", remember: true })).body).toMatchObject({
      code: "INVALID_INPUT",
      errors: expect.arrayContaining([
        { path: "password", message: expect.any(String) },
        { path: "remember", message: expect.any(String) },
      ]),
    });
  });

  test("with a name that no database could keep is refused as such", async () => {
    expect((await logIn({ username: "admin\0", password: "x" })).body).toMatchObject({
      code: "INVALID_INPUT",
      errors: [{ path: "username" }],
    });
  });

  test("into a disabled account fails as any other", async () => {
    const account = await addAccount();
    await query(hub.databaseUrl, 'update "user" set enabled = false where username = $1', [account.username]);
    expect((await logIn(account)).body.code).toBe("BAD_CREDENTIALS");
  });

  test("is slowed down after ten tries a minute from one address, and only there", async () => {
    const address = from();
    const answers = [];
    for (let attempt = 0; attempt < 11; attempt++)
      answers.push(await logIn({ username: `nobody${attempt}`, password: "x" }, address));
    expect(answers.slice(0, 10).every(({ status }) => status === 401)).toBe(true);
    expect(answers[10]).toMatchObject({ status: 429, body: { code: "TOO_MANY_REQUESTS" } });
    expect(Number(answers[10]?.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await logIn(await addAccount())).status).toBe(200);
  });

  test("is slowed down after ten tries a minute into one account, wherever they come from", async () => {
    const { username } = await addAccount();
    const statuses = [];
    for (let attempt = 0; attempt < 11; attempt++)
      statuses.push((await logIn({ username: attempt % 2 ? username : username.toUpperCase(), password: "x" })).status);
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
  });
});

describe("a session", () => {
  const tokenOf = async () => (await logIn(await addAccount())).body.access_token as string;

  test("is a bearer token, or a cookie that needs the header to change anything", async () => {
    const token = await tokenOf();
    const cookie = { cookie: `pb_session=${token}` };
    expect(await me({ authorization: `Bearer ${token}` })).toBe(200);
    expect(await me({ authorization: `bearer ${token}` })).toBe(200);
    expect(await me(cookie)).toBe(200);
    const create = (headers: Record<string, string>) => anonymous().post("/clusters", { name: "C" }, headers);
    expect(await create(cookie)).toMatchObject({ status: 403, body: { code: "CSRF_HEADER_MISSING" } });
    expect((await create({ ...cookie, "x-powerbeacon": "0" })).status).toBe(403);
    expect((await create({ ...cookie, "x-powerbeacon": "1" })).status).toBe(201);
    expect((await create({ authorization: `Bearer ${token}` })).status).toBe(201);
  });

  test("ends at once, for both forms", async () => {
    const token = await tokenOf();
    const other = await tokenOf();
    const bearer = { authorization: `Bearer ${token}` };
    expect((await anonymous().post("/auth/logout", undefined, bearer)).status).toBe(200);
    expect(await me(bearer)).toBe(401);
    expect(await me({ cookie: `pb_session=${token}` })).toBe(401);
    expect(await me({ authorization: `Bearer ${other}` })).toBe(200);
  });

  test("is refused when its token was made by somebody else", async () => {
    const token = await tokenOf();
    const claims = decodeJwt(token);
    const [header, payload, signature] = token.split(".");
    const secret = readFileSync(join(hub.dataDir, "secrets", "jwt-secret"), "utf8");
    const sign = (key: string, fields: object = {}, alg = "HS256") =>
      new SignJWT({ ...claims, ...fields }).setProtectedHeader({ alg }).sign(new TextEncoder().encode(key));
    const forged = {
      changed: [
        header,
        Buffer.from(JSON.stringify({ ...claims, sid: randomUUID() })).toString("base64url"),
        signature,
      ].join("."),
      unsigned: new UnsecuredJWT(claims).encode(),
      "without signature": `${header}.${payload}.`,
      "signed with another secret": await sign("x".repeat(43)),
      "signed another way": await sign(secret.padEnd(64, "x"), {}, "HS512"),
      "of no session": await sign(secret, { sid: randomUUID() }),
      "without a session": await sign(secret, { sid: undefined }),
      expired: await sign(secret, { exp: Math.floor(Date.now() / 1_000) - 1 }),
      "no token at all": "x",
    };
    for (const [what, wrong] of Object.entries(forged))
      expect({ what, status: await me({ authorization: `Bearer ${wrong}` }) }).toEqual({ what, status: 401 });
    expect(await me({ authorization: `Bearer ${await sign(secret)}` })).toBe(200);
  });

  test("that is missing or of another scheme is answered with how to log in", async () => {
    const answer = await anonymous().get("/devices");
    expect(answer).toMatchObject({ status: 401, body: { code: "UNAUTHENTICATED" } });
    expect(answer.headers.get("www-authenticate")).toContain("Bearer");
    expect(await me({ authorization: "Basic YTpi" })).toBe(401);
  });

  test("outlives a restart of the hub, unless it has expired, or its account was disabled or its row is gone", async () => {
    const [kept, expired, gone] = [await tokenOf(), await tokenOf(), await tokenOf()];
    const sid = (token: string) => decodeJwt(token)["sid"];
    await query(hub.databaseUrl, "update session set expires_at = now() where id = $1", [sid(expired)]);
    await query(hub.databaseUrl, "delete from session where id = $1", [sid(gone)]);
    await hub.restart();
    const statuses = await Promise.all([kept, expired, gone].map((token) => me({ authorization: `Bearer ${token}` })));
    expect(statuses).toEqual([200, 401, 401]);
    await query(hub.databaseUrl, 'update "user" set enabled = false');
    await hub.restart();
    expect(await me({ authorization: `Bearer ${kept}` })).toBe(401);
    await query(hub.databaseUrl, 'update "user" set enabled = true');
  });
});
