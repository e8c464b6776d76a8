import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Writable } from "node:stream";
import { type JWTHeaderParameters, SignJWT, decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair } from "jose";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApi } from "#test/fixtures/api.ts";
import { ADMIN, type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { describedRoutes } from "#test/fixtures/open-api.ts";
import {
  BEHIND_PROXY,
  type Person,
  addPerson,
  addToken,
  firstSite,
  fromElsewhere,
  logIn,
} from "#test/fixtures/people.ts";

/** What somebody tries who is nobody here: to be taken for somebody, or to make a browser act in somebody's name. */

const lines: string[] = [];
const log = pino(
  { level: "debug" },
  new Writable({ write: (line, _encoding, done) => (lines.push(String(line)), done()) }),
);

let hub: TestHub;
let ann: Person;

beforeAll(async () => {
  hub = await startTestHub(BEHIND_PROXY, { log });
  ann = await addPerson(hub, await firstSite(hub), "user");
});

afterAll(() => hub.close());

const call = (path: string, headers: Record<string, string>, method = "GET") =>
  fetch(hub.url + path, { method, redirect: "manual", headers: { ...fromElsewhere(), ...headers } });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const cookie = (token: string) => ({ cookie: `pb_session=${token}` });

describe("a forged token opens nothing", () => {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const claims = () => decodeJwt(hub.api.token ?? "");
  const signed = (secret: string, header: Partial<JWTHeaderParameters> = {}) =>
    new SignJWT(claims()).setProtectedHeader({ alg: "HS256", ...header }).sign(new TextEncoder().encode(secret));
  const kid = () => String(decodeProtectedHeader(hub.api.token ?? "").kid);

  test("when it says that it needs no signature", async () => {
    for (const alg of ["none", "None", "NONE", "nOnE", ""])
      for (const signature of ["", "AAAA"]) {
        const token = `${encode({ alg, kid: kid() })}.${encode(claims())}.${signature}`;
        expect({ alg, status: (await call("/api/auth/me", bearer(token))).status }).toEqual({ alg, status: 401 });
      }
  });

  test("when its secret is guessed, or public", async () => {
    const hubKey = JSON.parse(readFileSync(join(hub.dataDir, "secrets", "hub-key.json"), "utf8"));
    const published = [hubKey.x, JSON.stringify({ kty: "OKP", crv: "Ed25519", x: hubKey.x })];
    const guesses = [
      "secret",
      "changeme",
      "your-256-bit-secret",
      "powerbeacon",
      "jwt-secret",
      "password",
      kid(),
      ...published,
    ];
    expect(guesses.every((guess) => typeof guess === "string" && guess !== "")).toBe(true);
    for (const guess of guesses)
      for (const header of [{}, { kid: kid() }]) {
        const { status } = await call("/api/auth/me", bearer(await signed(guess, header)));
        expect({ guess, status }).toEqual({ guess, status: 401 });
      }
  });

  test("when it brings a key along, or says where one lies", async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(String(request.url));
      response.end("{}");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const jwk = await exportJWK(publicKey);
    const url = `http://127.0.0.1:${port}/keys`;
    for (const header of [{ jwk }, { jku: url }, { x5u: url }, { kid: "../../dev/null" }, { kid: "' or ''='" }]) {
      const token = await new SignJWT(claims()).setProtectedHeader({ alg: "ES256", ...header }).sign(privateKey);
      expect((await call("/api/auth/me", bearer(token))).status).toBe(401);
      expect((await call("/api/auth/me", bearer(await signed("x".repeat(32), header)))).status).toBe(401);
    }
    expect(asked).toEqual([]);
    server.close();
  });

  test("and one that is no token at all is no trouble", async () => {
    for (const token of ["x", "a.b.c", "..", "pb_", "pb_aaaaaaaa_", "e30.e30.e30", "x".repeat(8_000), "null"])
      for (const headers of [bearer(token), cookie(token)])
        expect((await call("/api/auth/me", headers)).status).toBe(401);
  });
});

describe("a session that is over", () => {
  test("opens nothing in either form, and its stream is closed", async () => {
    const token = await logIn(hub.url, ann);
    const stream = await call("/api/events", bearer(token));
    expect(stream.status).toBe(200);
    const { status } = await call("/api/auth/logout", bearer(token), "POST");
    expect(status).toBe(200);
    await expect(stream.text()).resolves.toContain("event: snapshot");
    for (const headers of [bearer(token), cookie(token)])
      for (const path of ["/api/auth/me", "/api/devices", "/api/events"])
        expect((await call(path, headers)).status).toBe(401);
  });

  test.each([
    ["disabled", { enabled: false }],
    ["taken out of the site", { role: null }],
    ["made less", { role: "viewer" }],
  ])("or whose account is %s keeps no stream open, by token neither", async (_what, change) => {
    const person = await addPerson(hub, await firstSite(hub), "user");
    const { token } = await addToken(person.api, ["device:read"]);
    const streams = [await call("/api/events", bearer(person.token)), await call("/api/events", bearer(token))];
    expect(streams.map(({ status }) => status)).toEqual([200, 200]);
    await hub.api.patch(`/users/${person.id}`, change);
    for (const stream of streams) await expect(stream.text()).resolves.toContain("event: snapshot");
  });
});

test("one account cannot take all streams for itself", async () => {
  const streams = [];
  for (let n = 0; n < 101; n++) streams.push(await call("/api/events", bearer(ann.token)));
  expect(streams.findIndex(({ status }) => status === 429)).toBe(100);
  expect(streams[100]?.headers.get("retry-after")).toMatch(/^\d+$/);
  const other = await call("/api/events", bearer(hub.api.token ?? ""));
  expect(other.status).toBe(200);
  for (const { body } of [...streams, other]) await body?.cancel();
});

describe("a page elsewhere", () => {
  test("changes nothing with somebody's cookie, at no route", async () => {
    const routes = (await describedRoutes(hub.api)).filter(({ method }) => method !== "GET");
    const open = new Set(["POST /api/setup/init", "POST /api/auth/login", "POST /api/agents/enrol"]);
    for (const { method, path, name } of routes.filter((route) => !open.has(route.name))) {
      const url = path.replace("{id}", "00000000-0000-4000-8000-000000000000");
      for (const type of ["application/json", "text/plain", "application/x-www-form-urlencoded"]) {
        const answer = await fetch(hub.url + url, {
          method,
          headers: { ...cookie(hub.api.token ?? ""), "content-type": type, ...fromElsewhere() },
          body: "{}",
        });
        const { code } = (await answer.json()) as { code: string };
        // those for brokers know no cookie, and nobody without the broker's secret
        const refusal = path.startsWith("/api/mqtt/")
          ? { status: 404, code: "ROUTE_NOT_FOUND" }
          : { status: 403, code: "CSRF_HEADER_MISSING" };
        expect({ name, status: answer.status, code }).toEqual({ name, ...refusal });
      }
    }
  });

  test("turns no reading into a change", async () => {
    for (const header of ["x-http-method-override", "x-http-method", "x-method-override"])
      expect((await call("/api/devices", { ...cookie(ann.token), [header]: "DELETE" })).status).toBe(200);
  });

  test("logs nobody in as somebody else", async () => {
    const form = new URLSearchParams({ username: ann.username, password: ann.password });
    for (const site of ["cross-site", "same-site"]) {
      const answer = await fetch(`${hub.url}/api/auth/login`, {
        method: "POST",
        headers: { ...fromElsewhere(), "sec-fetch-site": site, origin: "https://evil.example" },
        body: form,
      });
      expect(answer.status).toBe(403);
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
  });

  test("reads no answer: it is not let see one", async () => {
    const headers = { ...cookie(ann.token), origin: "https://evil.example" };
    const answer = await call("/api/devices", headers);
    const asked = await call("/api/devices", { ...headers, "access-control-request-method": "DELETE" }, "OPTIONS");
    for (const { headers } of [answer, asked])
      expect([...headers.keys()].filter((name) => name.startsWith("access-control-allow"))).toEqual([]);
  });
});

test("no secret of a log-in, a token or a join stands in the log", async () => {
  const { token } = await addToken(ann.api, ["device:read"]);
  const { body } = await hub.api.post("/enrolments", {});
  await call("/api/devices", bearer(token));
  await call("/api/devices", { ...cookie(ann.token), ...bearer("wrong-token-of-somebody") });
  await createApi(hub.url).post(
    "/auth/login",
    { username: ann.username, password: "a wrong password" },
    fromElsewhere(),
  );
  const secrets = [
    ADMIN.password,
    ann.password,
    ann.token,
    token,
    body.code,
    "a wrong password",
    "wrong-token-of-somebody",
  ];
  const logged = lines.join("");
  expect(logged).toContain("The user name or the password is wrong");
  expect(secrets.filter((secret) => logged.includes(secret))).toEqual([]);
});
