import { Writable } from "node:stream";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN, type TestHub, startTestHub } from "#test/fixtures/hub.ts";

/** What stands around every answer, whatever it is. */

const lines: string[] = [];
const log = pino(
  { level: "debug" },
  new Writable({ write: (line, _encoding, done) => (lines.push(String(line)), done()) }),
);

let hub: TestHub;

beforeAll(async () => {
  hub = await startTestHub({}, { log });
});

afterAll(() => hub.close());

interface Asked {
  readonly path: string;
  readonly status: number;
  readonly method?: string;
  readonly body?: string;
}

/** One of each kind. */
const ANSWERS: Readonly<Record<string, Asked>> = {
  "the page": { path: "/", status: 200 },
  "a file of the page that is not there": { path: "/assets/nothing.js", status: 404 },
  "a list": { path: "/api/devices", status: 200 },
  "a stream": { path: "/api/events", status: 200 },
  "a file to keep": { path: "/api/audit/export?format=csv", status: 200 },
  "the document of the API": { path: "/api/openapi.json", status: 200 },
  "the page of the document": { path: "/api/docs/", status: 200 },
  "the figures": { path: "/metrics", status: 200 },
  "a sign of life": { path: "/health", status: 200 },
  "nothing to say": { path: "/api/sites/00000000-0000-4000-8000-000000000000", method: "DELETE", status: 404 },
  "a refusal for want of a body": { path: "/api/devices", method: "POST", status: 422, body: "{}" },
  "a refusal of what is no JSON": { path: "/api/devices", method: "POST", status: 422, body: "{" },
  "a path that nobody knows": { path: "/api/nothing", status: 404 },
  "a path that cannot be read": { path: "/%", status: 404 },
  "a body that is too large": { path: "/api/devices", method: "POST", status: 413, body: "x".repeat(2 ** 20 + 1) },
};

async function ask({ path, method = "GET", body }: Asked, headers: Record<string, string> = {}): Promise<Response> {
  const answer = await fetch(hub.url + path, {
    method,
    headers: {
      authorization: `Bearer ${hub.api.token}`,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body }),
  });
  if (path === "/api/events") await answer.body?.cancel();
  return answer;
}

describe.each(Object.entries(ANSWERS))("%s", (_what, asked) => {
  test("is run, framed, guessed at and passed on by nobody, and says its number", async () => {
    const { status, headers } = await ask(asked);
    expect(status).toBe(asked.status);
    expect(headers.get("content-security-policy")).toMatch(/^default-src '(none|self)'.*frame-ancestors 'none'/);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    for (const name of ["strict-transport-security", "x-powered-by", "server", "access-control-allow-origin"])
      expect({ name, value: headers.get(name) }).toEqual({ name, value: null });
  });
});

test("the number of a refusal stands in its header, in its words and in the log, and nobody chooses it", async () => {
  const answer = await ask({ path: "/api/devices", status: 401 }, { authorization: "", "x-request-id": "chosen" });
  const { requestId } = (await answer.json()) as { requestId: string };
  expect(answer.headers.get("x-request-id")).toBe(requestId);
  expect(requestId).not.toBe("chosen");
  expect(lines.some((line) => line.includes(requestId) && line.includes("UNAUTHENTICATED"))).toBe(true);
});

test("what a client says of proxies is not believed as long as no proxy is named", async () => {
  const spoofed = {
    "x-forwarded-for": "203.0.113.7",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "evil.example",
  };
  const secure = await ask({ path: "/api/devices", status: 200 }, spoofed);
  expect(secure.headers.get("strict-transport-security")).toBeNull();
  const login = await ask(
    { path: "/api/auth/login", method: "POST", status: 200, body: JSON.stringify(ADMIN) },
    spoofed,
  );
  expect(login.headers.getSetCookie().every((cookie) => !/; secure/i.test(cookie))).toBe(true);
  const { items } = (await hub.api.get("/auth/sessions")).body;
  expect(new Set(items.map(({ address }: { address: string }) => address))).toEqual(new Set(["127.0.0.1"]));
  const { command } = (await hub.api.post("/enrolments", {}, spoofed)).body;
  expect(command).not.toContain("evil.example");
});

test("behind a proxy that is named, with TLS before it, browsers stay with TLS and cookies go by it alone", async () => {
  await hub.restart({ TRUST_PROXY: "127.0.0.1" });
  const told = { "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.7" };
  // of what cannot be read nobody asks who passed it on
  for (const asked of Object.values(ANSWERS).filter(({ path }) => path !== "/%")) {
    const { headers } = await ask(asked, told);
    expect(headers.get("strict-transport-security")).toMatch(/^max-age=31536000/);
  }
  const login = await ask({ path: "/api/auth/login", method: "POST", status: 200, body: JSON.stringify(ADMIN) }, told);
  expect(login.headers.getSetCookie().every((cookie) => /; HttpOnly; Secure; SameSite=Lax/.test(cookie))).toBe(true);
  const plain = await ask({ path: "/", status: 200 });
  expect(plain.headers.get("strict-transport-security")).toBeNull();
});
