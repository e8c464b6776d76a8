import type { Browser } from "playwright";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { SIGN_ON_PROBLEMS } from "#contracts/sign-on-problems.ts";
import { type WatchedPage, barriers, needsChromium, startBrowser, watchedPage } from "#test/fixtures/browser.ts";
import { ADMIN, type TestHub, startTestHub } from "#test/fixtures/hub.ts";
import { CLIENT, type TestProvider, startOpenIdProvider } from "#test/fixtures/openid-provider.ts";

/** Log-ins by a provider, from setting it up to the last log-out, in a browser that takes hub and provider for two sites. */

let browser: Browser | undefined;
let hub: TestHub;
let provider: TestProvider;
let watched: WatchedPage | undefined;

beforeAll(async () => {
  hub = await startTestHub({ OUTBOUND_ALLOWED: "localhost" });
  provider = await startOpenIdProvider({ hubUrl: hub.url, host: "localhost" });
  browser = await startBrowser();
});

beforeEach((context) => needsChromium(context));

afterEach(async () => {
  await watched?.close();
  watched = undefined;
});

afterAll(async () => {
  await browser?.close();
  await hub.close();
  await provider.close();
});

/** A new browser on the log-in page. */
async function openLogin() {
  watched = await watchedPage(browser, hub.url);
  const { page } = watched;
  await page.goto("/login");
  return { page, byProvider: page.getByRole("link", { name: "Log in with Home" }) };
}

async function logInByPassword(page: WatchedPage["page"]): Promise<void> {
  await page.getByLabel("User name").fill(ADMIN.username);
  await page.getByLabel("Password").fill(ADMIN.password);
  await page.keyboard.press("Enter");
}

async function logOut(page: WatchedPage["page"]): Promise<void> {
  await page.getByRole("button", { name: "Account and settings" }).click();
  await page.getByRole("button", { name: "Log out" }).click();
}

/** That the browser went to the provider is what it was to do. */
function troubles(): string[] {
  const own = watched?.troubles.filter(({ kind, text }) => kind !== "elsewhere" || !text.startsWith(provider.issuer));
  return (own ?? []).map(({ kind, text }) => `${kind}: ${text}`);
}

test("a superuser sets up the provider on the page, and links an account there with their own", async () => {
  const { page, byProvider } = await openLogin();
  await page.getByLabel("User name").waitFor();
  expect(await byProvider.count()).toBe(0);
  await logInByPassword(page);
  await page.getByRole("heading", { name: "No devices yet" }).waitFor();

  await page.goto("/settings/sign-on");
  await page.getByText(`${hub.url}/api/auth/callback`).waitFor();
  await page.getByRole("button", { name: "Set up" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill("Home");
  await dialog.getByLabel("Issuer").fill("http://169.254.169.254");
  await dialog.getByLabel("Client identifier").fill(CLIENT.clientId);
  await dialog.getByLabel("Client secret").fill(CLIENT.clientSecret);
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText(/OUTBOUND_ALLOWED/).waitFor();
  await dialog.getByLabel("Issuer").fill(provider.issuer);
  await dialog.getByText("New accounts and roles").click();
  await dialog.getByLabel(/gets an account at the first log-in/).check();
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });

  provider.person = { sub: "the admin", email: "admin@example.org", email_verified: true };
  await page.goto("/settings/profile");
  await page.getByRole("button", { name: "Link an account at Home" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText(SIGN_ON_PROBLEMS.DENIED).waitFor();
  await page.getByRole("button", { name: "Link an account at Home" }).click();
  await page.getByRole("button", { name: "Go on as the admin" }).click();
  await page.getByText("admin@example.org").waitFor();
  await page.waitForURL(`${hub.url}/settings/profile`);
  expect(troubles()).toEqual([]);
}, 60_000);

test("somebody new logs in by the provider, sees what a viewer sees, and logs out there too", async () => {
  provider.person = { sub: "vera", preferred_username: "vera", name: "Vera V.", email: "vera@example.org" };
  const { page, byProvider } = await openLogin();
  await byProvider.waitFor();
  expect(await barriers(page)).toEqual([]);
  await byProvider.click();
  await page.getByRole("button", { name: "Go on as vera" }).click();
  await page.waitForURL(`${hub.url}/`);
  await page.getByRole("button", { name: "Account and settings" }).waitFor();
  expect(await page.getByRole("button", { name: /^Add/ }).count()).toBe(0);
  const me = await page.request.get("/api/auth/me");
  expect(await me.json()).toMatchObject({ username: "vera", fullName: "Vera V.", role: "viewer", hasPassword: false });

  await logOut(page);
  await page.getByRole("heading", { name: "Log out here, too?" }).waitFor();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.waitForURL(`${hub.url}/login`);
  await byProvider.click();
  await page.getByRole("button", { name: "Go on as vera" }).waitFor(); // the provider's session ended, too
  expect(troubles()).toEqual([]);
}, 60_000);

test("somebody whose account is linked is in their own account, at the place they wanted to go to", async () => {
  provider.person = { sub: "the admin", preferred_username: "somebody else" };
  watched = await watchedPage(browser, hub.url);
  const { page } = watched;
  await page.goto("/settings/users");
  await page.getByRole("link", { name: "Log in with Home" }).click();
  await page.getByRole("button", { name: "Go on as the admin" }).click();
  await page.waitForURL(`${hub.url}/settings/users`);
  const me = await page.request.get("/api/auth/me");
  expect(await me.json()).toMatchObject({ username: ADMIN.username, role: "superuser" });
  expect(troubles()).toEqual([]);
}, 60_000);

test("a log-in that comes to nothing ends on the log-in page with a sentence", async () => {
  provider.person = { sub: "walter", email: "vera@example.org", email_verified: true };
  const { page, byProvider } = await openLogin();
  await byProvider.click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("alert").getByText(SIGN_ON_PROBLEMS.DENIED).waitFor();
  expect(await barriers(page)).toEqual([]);

  await byProvider.click();
  await page.getByRole("button", { name: "Go on as walter" }).click();
  await page.getByRole("alert").getByText(SIGN_ON_PROBLEMS.EMAIL_TAKEN).waitFor();

  await byProvider.click(); // the provider knows walter by now
  await page.getByRole("alert").getByText(SIGN_ON_PROBLEMS.EMAIL_TAKEN).waitFor();
  const answer = await page.goto("/api/auth/callback?code=x&state=y");
  expect(answer?.url()).toBe(`${hub.url}/login?problem=FLOW_EXPIRED`);
  await page.getByRole("alert").getByText(SIGN_ON_PROBLEMS.FLOW_EXPIRED).waitFor();
  expect(troubles()).toEqual([]);
}, 60_000);
