import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, createApi } from "#test/fixtures/api.ts";
import { query } from "#test/fixtures/database.ts";
import { ADMIN, type TestHub, startTestHub } from "#test/fixtures/hub.ts";

const env = { TRUST_PROXY: "127.0.0.1" };
let hub: TestHub;
let addresses = 0;

beforeAll(async () => {
  hub = await startTestHub(env);
});

afterAll(() => hub.close());

async function logIn(headers: Record<string, string> = {}): Promise<Api> {
  const from = { "x-forwarded-for": `10.2.0.${++addresses}`, ...headers };
  return createApi(hub.url, (await createApi(hub.url).post("/auth/login", ADMIN, from)).body.access_token);
}

const sidOf = (api: Api) => decodeJwt(api.token ?? "")["sid"] as string;

describe("one's own sessions", () => {
  test("are listed with browser, address and last use, this one marked", async () => {
    const api = await logIn({ "user-agent": "Firefox on a phone", "x-forwarded-for": "10.9.9.9" });
    const { items } = (await api.get("/auth/sessions")).body;
    expect(items.filter((item: { current: boolean }) => item.current)).toEqual([
      {
        id: sidOf(api),
        current: true,
        address: "10.9.9.9",
        userAgent: "Firefox on a phone",
        createdAt: expect.any(String),
        lastUsedAt: expect.any(String),
        expiresAt: expect.any(String),
      },
    ]);
  });

  test("end at once when another one ends them", async () => {
    const [mine, lost] = [await logIn(), await logIn()];
    expect((await mine.delete(`/auth/sessions/${sidOf(lost)}`)).status).toBe(204);
    expect((await lost.get("/devices")).status).toBe(401);
    expect((await mine.get("/devices")).status).toBe(200);
    expect((await mine.delete(`/auth/sessions/${sidOf(lost)}`)).status).toBe(404);
  });

  test("of others are out of reach", async () => {
    await hub.api.post("/users", { username: "eve", password: ADMIN.password, role: "user" });
    const eve = await createApi(hub.url).logIn({ username: "eve", password: ADMIN.password });
    expect((await eve.delete(`/auth/sessions/${sidOf(hub.api)}`)).status).toBe(404);
    expect((await eve.get("/auth/sessions")).body.items).toHaveLength(1);
  });

  test("but for the one that asks end with a new password, which needs the old one", async () => {
    const username = "zoe";
    await hub.api.post("/users", { username, password: ADMIN.password, role: "user" });
    const [mine, other] = [
      await createApi(hub.url).logIn({ username, password: ADMIN.password }),
      await createApi(hub.url).logIn({ username, password: ADMIN.password }),
    ];
    const password = "another horse battery";
    for (const currentPassword of [undefined, "wrong"])
      expect(await mine.patch("/auth/me", { password, currentPassword })).toMatchObject({
        status: 422,
        body: { code: "WRONG_PASSWORD", errors: [{ path: "currentPassword" }] },
      });
    expect((await other.get("/auth/me")).status).toBe(200);
    const short = { password: "short", currentPassword: ADMIN.password };
    expect((await mine.patch("/auth/me", short)).body.errors).toMatchObject([{ path: "password" }]);
    expect((await mine.patch("/auth/me", { password, currentPassword: ADMIN.password })).status).toBe(200);
    expect((await mine.get("/auth/me")).status).toBe(200);
    expect((await other.get("/auth/me")).status).toBe(401);
    await expect(createApi(hub.url).logIn({ username, password: ADMIN.password })).rejects.toThrow("401");
  });
});

describe("a session in a browser", () => {
  const withCookie = async (token: string) =>
    await fetch(`${hub.url}/api/auth/me`, { headers: { cookie: `pb_session=${token}` } });

  test("is renewed while it is used, and ends after thirty days all the same", async () => {
    const api = await logIn();
    const sid = sidOf(api);
    expect((await withCookie(api.token ?? "")).headers.get("set-cookie")).toBeNull();

    const hours = (count: number) => `now() ${count < 0 ? "-" : "+"} interval '${Math.abs(count)} hours'`;
    const age = async (created: number, expires: number) => {
      await query(
        hub.databaseUrl,
        `update session set created_at = ${hours(created)}, expires_at = ${hours(expires)} where id = $1`,
        [sid],
      );
      await hub.restart({ JWT_EXPIRATION_HOURS: "24" });
    };
    const { SignJWT } = await import("jose");
    const { readFileSync } = await import("node:fs");
    const secret = new TextEncoder().encode(readFileSync(`${hub.dataDir}/secrets/jwt-secret`, "utf8"));
    const agedToken = (issuedHoursAgo: number) => {
      const issuedAt = Math.floor(Date.now() / 1_000) - issuedHoursAgo * 3_600;
      return new SignJWT({ sid })
        .setProtectedHeader({ alg: "HS256" })
        .setSubject(decodeJwt(api.token ?? "").sub ?? "")
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + 24 * 3_600)
        .sign(secret);
    };

    await age(-13, 11);
    const renewed = await withCookie(await agedToken(13));
    expect(renewed.status).toBe(200);
    const fresh = /pb_session=([^;]+)/.exec(renewed.headers.get("set-cookie") ?? "")?.[1] ?? "";
    expect(decodeJwt(fresh)).toMatchObject({ sid });
    expect((decodeJwt(fresh).exp ?? 0) * 1_000 - Date.now()).toBeGreaterThan(23.9 * 3_600_000);
    expect((await withCookie(fresh)).headers.get("set-cookie")).toBeNull();

    await age(-30 * 24 + 2, 2);
    const last = await withCookie(await agedToken(13));
    expect(last.status).toBe(200);
    const end = /pb_session=[^;]+; Max-Age=(\d+)/.exec(last.headers.get("set-cookie") ?? "")?.[1] ?? "7200";
    expect(Number(end)).toBeLessThanOrEqual(2 * 3_600);
  });
});
