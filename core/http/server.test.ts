import { readdirSync } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApi } from "#test/fixtures/api.ts";
import { createDatabase, query } from "#test/fixtures/database.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { type ScriptedAgent, freshMac, startScriptedAgent } from "#test/fixtures/scripted-agent.ts";
import { createHttpServer, listen } from "./server.ts";

let hub: TestHub;
let pi: ScriptedAgent;

beforeAll(async () => {
  hub = await startTestHub();
  pi = await startScriptedAgent(hub);
});

afterAll(async () => {
  await pi.close();
  await hub.close();
});

const call = (path: string, init: RequestInit = {}) =>
  fetch(`${hub.url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${hub.api.token}`, ...(init.headers as Record<string, string>) },
  });
const post = (path: string, body: string, type = "application/json") =>
  call(path, { method: "POST", body, headers: { "content-type": type } });

describe("a refused call", () => {
  const PROBLEM = ["code", "detail", "errors", "requestId", "status", "title", "type"];

  test.each<[string, () => Promise<Response>, number, string]>([
    ["nothing there", () => call("/api/nothing"), 404, "ROUTE_NOT_FOUND"],
    ["nothing at the root", () => call("/nothing"), 404, "ROUTE_NOT_FOUND"],
    ["another method", () => call("/api/devices", { method: "PATCH" }), 404, "ROUTE_NOT_FOUND"],
    ["broken JSON", () => post("/api/devices", '{"name":'), 422, "INVALID_INPUT"],
    ["no JSON", () => post("/api/devices", "<xml/>", "application/xml"), 415, "UNSUPPORTED_MEDIA_TYPE"],
    [
      "a form",
      () => post("/api/devices", "name=x", "application/x-www-form-urlencoded"),
      415,
      "UNSUPPORTED_MEDIA_TYPE",
    ],
    ["a body that is a list", () => post("/api/devices", "[]"), 422, "INVALID_INPUT"],
    ["a prototype in the body", () => post("/api/devices", '{"__proto__":{"a":1}}'), 422, "INVALID_INPUT"],
    [
      "a body too large",
      () => post("/api/devices", JSON.stringify({ name: "x".repeat(1_100_000) })),
      413,
      "PAYLOAD_TOO_LARGE",
    ],
    ["a broken path", () => call("/api/devices/%zz"), 404, "ROUTE_NOT_FOUND"],
    ["nobody logged in", () => fetch(`${hub.url}/api/devices`), 401, "UNAUTHENTICATED"],
  ])("for %s is a problem in the one form", async (_what, send, status, code) => {
    const answer = await send();
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
    const body = (await answer.json()) as Record<string, unknown>;
    expect(Object.keys(body).toSorted()).toEqual(PROBLEM);
    expect(body).toMatchObject({
      status,
      code,
      type: `urn:powerbeacon:error:${code}`,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  test("names all fields at once, also those that nobody knows", async () => {
    const { body } = await hub.api.post("/devices", { mac: "x", os: "beos", colour: "red", wake: { retries: 1 } });
    expect(body.errors.map(({ path }: { path: string }) => path).toSorted()).toEqual([
      "colour",
      "mac",
      "name",
      "os",
      "wake.retries",
    ]);
    expect(body.detail).toContain("mac: is not a MAC address");
  });

  test("by a bug tells nothing but the id under which the log tells all", async () => {
    await query(hub.databaseUrl, "alter table mqtt_client rename to elsewhere");
    const { status, body } = await hub.api.get("/mqtt-clients");
    await query(hub.databaseUrl, "alter table elsewhere rename to mqtt_client");
    expect(status).toBe(500);
    expect(body).toMatchObject({ code: "INTERNAL", errors: [] });
    expect(JSON.stringify(body)).not.toMatch(/mqtt_client|select|relation/);
  });
});

test("a bug is logged with its stack and the id that the caller got", async () => {
  const lines: string[] = [];
  const log = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
  const app = await createServer(log);
  app.get("/bug", { config: { permission: "public" } }, async () => {
    throw new Error("with a secret in it");
  });
  const port = await listen(app, { host: "127.0.0.1", port: 0 });
  const answer = await fetch(`http://127.0.0.1:${port}/bug`);
  const body = (await answer.json()) as { requestId: string };
  await app.close();
  expect(JSON.stringify(body)).not.toContain("secret");
  expect(JSON.parse(lines[0] ?? "{}")).toMatchObject({
    reqId: body.requestId,
    err: { message: "with a secret in it", stack: expect.any(String) },
  });
});

test("a route that names no permission stops the start", async () => {
  const app = await createServer(pino({ level: "silent" }));
  expect(() => app.get("/open", async () => "")).toThrow("The route GET /open names no permission");
  await app.close();
});

test("a port that is taken is answered in a sentence", async () => {
  const app = await createServer(pino({ level: "silent" }));
  const port = Number(new URL(hub.url).port);
  await expect(listen(app, { host: "127.0.0.1", port })).rejects.toThrow(
    `The HTTP port ${port} is taken by another program. Set HTTP_PORT to a free one.`,
  );
  await app.close();
});

/** The server alone, without any route of a feature. */
async function createServer(log: pino.Logger) {
  const nobody = { audit: { trail: () => ({ note: () => {} }) } } as unknown as Parameters<typeof createHttpServer>[0]; // no route asks who calls, nor the database
  return await createHttpServer({
    ...nobody,
    version: "1.2.3",
    baseTopic: "powerbeacon",
    discoveryPrefix: "homeassistant",
    trustProxy: [],
    log,
  });
}

describe("the API's documents", () => {
  test("name every route, with what it takes and answers", async () => {
    const { body } = await hub.api.get("/openapi.json");
    expect(body).toMatchObject({ openapi: "3.1.0", info: { title: "PowerBeacon" } });
    const routes = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    for (const route of [
      "post /api/setup/init",
      "post /api/auth/login",
      "get /api/devices/",
      "patch /api/devices/{id}",
      "put /api/clusters/{id}",
      "post /api/devices/{id}/wake",
      "delete /api/wakes/{id}",
      "post /api/agents/enrol",
      "get /api/events",
      "patch /api/mqtt-clients/{id}",
      "get /health",
    ])
      expect(routes.map((name) => name.replace(/\/$/, ""))).toContain(route.replace(/\/$/, ""));
    const device = body.paths["/api/devices/{id}"].get;
    expect(device.parameters).toMatchObject([{ in: "path", name: "id", required: true }]);
    expect(Object.keys(device.responses)).toContain("200");
    const taken = JSON.stringify(body).split("passwordHash").length - 1;
    const answered = JSON.stringify(body, (key, value: unknown) => (key === "requestBody" ? undefined : value));
    expect({ taken, answered: answered.includes("passwordHash") }).toEqual({ taken: 1, answered: false });
  });

  test("hold no reference that leads nowhere", async () => {
    const { body } = await hub.api.get("/openapi.json");
    for (const [, pointer = ""] of JSON.stringify(body).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const found = pointer
        .split("/")
        .reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], body);
      expect({ pointer, found }).toEqual({ pointer, found: expect.anything() });
    }
  });

  test("are shown by a page that loads nothing from elsewhere", async () => {
    const page = await fetch(`${hub.url}/api/docs/`);
    expect(page.status).toBe(200);
    const html = await page.text();
    const csp = page.headers.get("content-security-policy") ?? "";
    expect(csp).toContain("default-src 'self'");
    expect(csp).not.toMatch(/https?:|unsafe-eval|script-src[^;]*unsafe-inline|\*/);
    const addresses = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, address]) => new URL(address ?? "", page.url),
    );
    expect(addresses.length).toBeGreaterThan(3);
    for (const address of addresses) {
      expect(address.origin).toBe(hub.url);
      expect({ path: address.pathname, status: (await fetch(address)).status }).toMatchObject({ status: 200 });
    }
    expect(html).not.toMatch(/<script>(?!\s*<\/script>)/);
  });
});

test("every answer carries headers against misuse in a browser", async () => {
  const { headers } = await call("/api/devices");
  expect(headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("x-frame-options")).toBe("DENY");
  expect(headers.get("x-powered-by")).toBeNull();
  expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  expect(headers.get("strict-transport-security")).toBeNull();
});

describe("while the database is away", () => {
  test("waking goes on, changes answer DATABASE_UNAVAILABLE, and all is well again when it is back", async () => {
    const url = new URL(await createDatabase());
    const name = url.pathname.slice(1);
    const server = new URL(url);
    server.pathname = "/postgres";
    const hub = await startTestHub({ DATABASE_URL: url.toString() });
    const agent = await startScriptedAgent(hub, { name: "Pi" });
    const { body: device } = await hub.api.post("/devices", { name: "NAS", mac: freshMac() });
    const health = async (path: string) => await createApi(hub.url.replace(/$/, "")).get(`/..${path}`);
    try {
      // nobody may connect, and whoever is connected is let go
      await query(server.toString(), `alter database ${name} with allow_connections false`);
      await query(server.toString(), "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [
        name,
      ]);
      await expect.poll(async () => (await health("/ready")).status).toBe(503);
      expect((await health("/ready")).body).toEqual({ ready: false, database: "unavailable", broker: "ok" });
      expect((await health("/health")).status).toBe(200);
      expect(await hub.api.post("/clusters", { name: "C" })).toMatchObject({
        status: 503,
        body: { code: "DATABASE_UNAVAILABLE" },
      });
      expect((await hub.api.get("/devices")).body.total).toBe(1);

      const { status, body } = await hub.api.post(`/devices/${device.id}/wake`);
      expect({ status, stage: body.stage }).toEqual({ status: 202, stage: "accepted" });
      await expect.poll(() => agent.orders().length).toBe(1);
      for (const order of agent.orders()) await agent.answers(order, "sent");
      await agent.sees({ nas: true });
      await expect.poll(async () => (await hub.api.get(`/wakes/${body.wake}`)).body.stage).toBe("awake");
      expect(await hub.api.get("/wakes")).toMatchObject({ status: 503, body: { code: "DATABASE_UNAVAILABLE" } });

      await query(server.toString(), `alter database ${name} with allow_connections true`);
      await expect.poll(async () => (await health("/ready")).status, { timeout: 15_000 }).toBe(200);
      expect((await hub.api.post("/clusters", { name: "C" })).status).toBe(201);
      expect((await hub.api.get(`/devices/${device.id}/wakes`)).body.items).toMatchObject([
        { id: body.wake, stage: "awake" },
      ]);
    } finally {
      await agent.close();
      await hub.close();
    }
  });
});

test("secrets of the hub stand in files of its own, and nowhere else", () => {
  expect(readdirSync(join(hub.dataDir, "secrets")).toSorted()).toEqual([
    "hub-key.json",
    "jwt-secret",
    "provider-secret-key",
  ]);
});
