import type { Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { barriers, needsChromium, startBrowser, watchedPage } from "#test/fixtures/browser.ts";
import { ADMIN, type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { freshMac } from "#test/fixtures/scripted-agent.ts";
import { type Supervisor, startSupervisor } from "#test/fixtures/supervisor.ts";

/** The page inside Home Assistant, passed on by a proxy that does what its supervisor does. */

let hub: TestHub;
let supervisor: Supervisor;
let browser: Browser | undefined;

beforeAll(async () => {
  hub = await startTestHub({ HA_INGRESS_PORT: "0" }, { ingressFrom: "127.0.0.1" });
  supervisor = await startSupervisor({ ingressPort: portOf(hub) });
  browser = await startBrowser();
});

afterAll(async () => {
  await browser?.close();
  await supervisor.close();
  await hub.close();
});

function portOf({ hub }: TestHub): number {
  if (hub.ingressPort === null) throw new Error("the hub does not listen for Home Assistant");
  return hub.ingressPort;
}

const logIn = (base: string, headers: Record<string, string> = {}) =>
  fetch(`${base}/api/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(ADMIN),
  });
/** Where a browser shows which cookie. */
const pathsOf = (cookies: readonly string[]) =>
  Object.fromEntries(cookies.map((cookie) => [cookie.split("=", 1)[0], /; Path=([^;]+)/.exec(cookie)?.[1]]));
const own = () => supervisor.url + supervisor.path;
const asAdmin = () => ({ authorization: `Bearer ${hub.api.token}` });

describe("through Home Assistant", () => {
  test("the page names all its files below the path, and says where it stands", async () => {
    for (const path of ["/", "/devices/nas", "/settings/tokens"]) {
      const html = await (await fetch(own() + path)).text();
      const port = new URL(hub.url).port;
      expect(html).toContain(`<html data-base="${supervisor.path}" data-address="http://127.0.0.1:${port}" lang="en"`);
      const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file ?? "");
      expect(files.length).toBeGreaterThan(3);
      for (const file of files) {
        expect(file.startsWith(`${supervisor.path}/`)).toBe(true);
        expect({ file, status: (await fetch(supervisor.url + file)).status }).toEqual({ file, status: 200 });
      }
    }
  });

  test("Home Assistant may frame what it shows, and nobody else may", async () => {
    for (const path of ["/", "/api/devices", "/api/events", "/api/nothing"]) {
      const { headers, body } = await fetch(own() + path, { headers: asAdmin() });
      await body?.cancel();
      const policy = headers.get("content-security-policy") ?? "";
      expect(policy).toMatch(/^default-src 'none'.*;base-uri 'none';frame-ancestors 'self'/);
      expect(policy).not.toMatch(/unsafe-|\*|https?:|data:/);
      expect(headers.get("x-frame-options")).toBeNull();
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
    }
  });

  test("cookies stay below the path, and go by TLS alone where Home Assistant does", async () => {
    const cookies = (await logIn(own())).headers.getSetCookie();
    expect(pathsOf(cookies)).toEqual({
      pb_session: `${supervisor.path}/`,
      pb_browser: `${supervisor.path}/api/auth`,
    });
    for (const cookie of cookies) expect(cookie).toMatch(/; HttpOnly; SameSite=Lax$/);
    const secure = await startSupervisor({ ingressPort: portOf(hub), protocol: "https" });
    onTestFinished(() => secure.close());
    const answer = await logIn(secure.url + secure.path);
    for (const cookie of answer.headers.getSetCookie()) expect(cookie).toMatch(/; Secure$/);
    // it is Home Assistant's to say whether browsers stay with TLS there
    expect(answer.headers.get("strict-transport-security")).toBeNull();
  });

  test("a log-in is the hub's own: nobody is let in for having come from there", async () => {
    expect((await fetch(`${own()}/api/devices`)).status).toBe(401);
    const headers = { "x-remote-user-name": "admin", "x-remote-user-id": "1" };
    expect((await fetch(`${own()}/api/devices`, { headers })).status).toBe(401);
  });

  test("agents and clients are told the hub's own address", async () => {
    const post = async (path: string, body: object) => {
      const headers = { ...asAdmin(), "content-type": "application/json" };
      const answer = await fetch(own() + path, { method: "POST", headers, body: JSON.stringify(body) });
      return (await answer.json()) as Record<string, string>;
    };
    expect((await post("/api/enrolments", {}))["command"]).toContain(` join ${hub.url} `);
    const client = await post("/api/mqtt-clients", { name: "ha", permissions: ["read"] });
    expect(client["mqttUrl"]).toBe(hub.mqttUrl);
  });

  test("the page of the API's document is whole, and calls the API where it is", async () => {
    const page = await fetch(`${own()}/api/docs/`);
    const files = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file ?? "");
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) expect((await fetch(new URL(file, page.url))).status).toBe(200);
    const document = await (await fetch(`${own()}/api/docs/json`)).json();
    expect(document).toMatchObject({ servers: [{ url: supervisor.path }] });
  });

  test("a person logs in inside the frame, sees what happens, goes about and stays logged in", async (context) => {
    needsChromium(context);
    const { body: device } = await hub.api.post("/devices", { name: "NAS", mac: freshMac() });
    const watched = await watchedPage(browser, supervisor.url);
    onTestFinished(() => watched.close());
    const { page } = watched;
    await page.goto("/");
    const frame = page.frameLocator("iframe");
    await frame.getByLabel("User name").fill(ADMIN.username);
    await frame.getByLabel("Password").fill(ADMIN.password);
    await frame.getByRole("button", { name: "Log in" }).click();
    await frame.getByRole("link", { name: "NAS" }).waitFor();
    await hub.api.patch(`/devices/${device.id}`, { name: "Storage" });
    await frame.getByRole("link", { name: "Storage" }).click();
    await frame.getByRole("dialog", { name: "Storage" }).waitFor();
    const inner = page.frames()[1];
    expect(inner?.url()).toBe(`${own()}/devices/nas`);
    await inner?.goto(`${own()}/settings/tokens`); // as a reload does
    await frame.getByRole("heading", { name: "Tokens" }).waitFor();
    await frame.getByRole("link", { name: "Sessions" }).click();
    await frame.getByRole("heading", { name: "Sessions" }).waitFor();
    expect(inner?.url()).toBe(`${own()}/settings/sessions`);
    expect(await barriers(page)).toEqual([]);
    await frame.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Devices" }).click();
    await frame.getByRole("link", { name: "Storage" }).waitFor();
    expect(inner?.url()).toBe(`${own()}/`);
    expect(watched.troubles).toEqual([]);
  });
});

test("on the hub's own port the header of ingress is nobody's business", async () => {
  const headers = { "x-ingress-path": supervisor.path };
  const [plain, pretended] = await Promise.all([fetch(hub.url), fetch(hub.url, { headers })]);
  expect(await pretended.text()).toBe(await plain.text());
  expect(pretended.headers.get("x-frame-options")).toBe("DENY");
  expect(pretended.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  const cookies = (await logIn(hub.url, headers)).headers.getSetCookie();
  expect(pathsOf(cookies)).toEqual({ pb_session: "/", pb_browser: "/api/auth" });
});
