import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Permission } from "#contracts/permissions.ts";
import { type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { createApi } from "#test/fixtures/api.ts";
import { sourceFiles } from "./source-files.ts";

/** The page and the documents do not describe themselves. */
const UNDESCRIBED = [
  "GET /",
  "GET /agents/{key}",
  "GET /api/asyncapi.json",
  "GET /api/openapi.json",
  "GET /assets/{file}",
  "GET /clusters/{key}",
  "GET /devices/{key}",
  "GET /favicon.svg",
  "GET /login",
  "GET /manifest.webmanifest",
  "GET /settings/{page}",
  "GET /setup",
];

/** Routes that nobody needs to log in for. Whoever adds one adds it here, and has a reason. */
const PUBLIC = [
  "GET /api/auth/callback",
  "GET /api/auth/login/oauth",
  "GET /api/config/oidc", // the provider's name; the rest is for superusers
  "GET /api/setup/status",
  "GET /health",
  "GET /ready",
  "POST /api/agents/enrol",
  "POST /api/auth/login",
  // brokers show a secret of their own
  "POST /api/mqtt/authenticate",
  "POST /api/mqtt/authorize",
  "POST /api/mqtt/go-auth/acl",
  "POST /api/mqtt/go-auth/superuser",
  "POST /api/mqtt/go-auth/user",
  "POST /api/setup/init",
];

let hub: TestHub;
let routes: { method: string; path: string }[];

beforeAll(async () => {
  hub = await startTestHub();
  const { paths } = (await hub.api.get("/openapi.json")).body;
  routes = Object.entries<Record<string, unknown>>(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
  );
});

afterAll(() => hub.close());

describe("every route", () => {
  test("but the public ones answers 401 to a stranger", async () => {
    expect(routes.length).toBeGreaterThan(30);
    const open: string[] = [];
    for (const { method, path } of routes) {
      const url = hub.url + path.replaceAll(/\{[^}]+\}/g, "00000000-0000-4000-8000-000000000000");
      // on the way through a proxy: from the hub's own machine the figures are open
      const { status } = await fetch(url, { method, headers: { via: "1.1 proxy" } });
      if (status !== 401) open.push(`${method} ${path}`);
    }
    expect(open.toSorted()).toEqual(PUBLIC);
  });

  test("that can be read answers HEAD as it answers GET, without the body", async () => {
    const readable = routes.filter(({ method, path }) => method === "GET" && !PUBLIC.includes(`GET ${path}`));
    for (const { path } of readable) {
      const url = hub.url + path.replace("{id}", "00000000-0000-4000-8000-000000000000");
      const { status } = await fetch(url, { method: "HEAD", headers: { via: "1.1 proxy" } });
      expect({ path, status }).toEqual({ path, status: path === "/api/events" ? 404 : 401 });
    }
  });

  test.each(UNDESCRIBED)("%s gives a stranger no data", async (route) => {
    const path = route
      .slice("GET ".length)
      .replace("{key}", "nas")
      .replace("{page}", "profile")
      .replace("{file}", "nothing.js");
    const { status, headers } = await fetch(hub.url + path);
    expect(status).toBe(path.startsWith("/assets/") ? 404 : 200);
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  test("that the document does not describe is in the list above", () => {
    const undescribed = sourceFiles()
      .filter(({ path }) => path.startsWith("core/") && path !== "core/http/page.ts")
      .flatMap(({ text }) => text.match(/hide: true/g) ?? []);
    expect(undescribed).toHaveLength(2);
  });

  test("names a permission that the table knows", () => {
    const named = sourceFiles()
      .filter(({ path }) => path.endsWith(".routes.ts"))
      .flatMap(({ text }) => [...text.matchAll(/permission: "([^"]+)"/g)].map((match) => match[1]));
    expect(new Set(named)).toEqual(new Set([...Permission.options, "public"]));
  });

  test("answers a stranger with problem details", async () => {
    const { status, body, headers } = await createApi(hub.url).get("/devices");
    expect({ status, code: body.code }).toEqual({ status: 401, code: "UNAUTHENTICATED" });
    expect(headers.get("content-type")).toContain("application/problem+json");
    expect(headers.get("www-authenticate")).toContain("Bearer");
  });
});
