import { describe, expect, onTestFinished, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { INGRESS_PATH, standInHomeAssistant } from "../fixtures/in-home-assistant.ts";
import { focused, heard, mounted } from "../fixtures/mounted.ts";
import { ACCOUNT, user } from "../fixtures/rows.ts";
import { json, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { session } from "./session.ts";
import { LoginForm } from "./login-form.ts";

const ROUTE = "POST /auth/login";
const PROVIDER = "GET /config/oidc";
const username = page.getByLabelText("User name");
const password = page.getByLabelText("Password");

async function openForm(properties: Partial<LoginForm> = {}) {
  const hub = scriptedHub();
  hub.answers(ROUTE, () => json({ access_token: "", token_type: "bearer", expires_in: 1, user: user() }));
  hub.answers("GET /auth/me", () => json(ACCOUNT));
  hub.answers(PROVIDER, () => json({ enabled: false, name: null }));
  onTestFinished(() => session.forget());
  const element = await mounted(LoginForm, properties);
  return { hub, loggedIn: heard(element, "logged-in") };
}

test("a person types name and password, presses Enter and is in", async () => {
  const { hub, loggedIn } = await openForm();
  await expect.poll(focused).toBe("username");
  await userEvent.keyboard("admin{Tab} two words {Enter}");
  await expect.poll(() => loggedIn.length).toBe(1);
  expect(session.me).toEqual(ACCOUNT);
  expect(hub.bodiesOf(ROUTE)).toEqual([{ username: "admin", password: " two words " }]);
  expect(hub.calls.every(({ headers }) => headers.get("x-powerbeacon") === "1")).toBe(true);
});

test("a wrong password is said in the hub's words, and may be tried again without typing the name", async () => {
  const { hub, loggedIn } = await openForm();
  hub.answers(ROUTE, () => problem("BAD_CREDENTIALS", "The user name or the password is wrong", [], 401));
  await userEvent.fill(username, "admin");
  await userEvent.fill(password, "wrong");
  await userEvent.keyboard("{Enter}");
  await expect.element(page.getByRole("alert")).toMatchTextContent("The user name or the password is wrong");
  await expect.element(username).toHaveValue("admin");
  expect(loggedIn).toEqual([]);
});

test("a wrong password does not make the page doubt a session that is not there", async () => {
  const { hub } = await openForm();
  const doubts = heard(globalThis, "session-doubtful");
  hub.answers(ROUTE, () => problem("BAD_CREDENTIALS", "The user name or the password is wrong", [], 401));
  await userEvent.click(page.getByRole("button", { name: "Log in" }));
  await expect.element(page.getByRole("alert")).toBeVisible();
  expect(doubts).toEqual([]);
});

test("while the hub is asked the button says so, and asks once", async () => {
  const { hub, loggedIn } = await openForm();
  const answer = hub.holds(ROUTE);
  await userEvent.click(page.getByRole("button", { name: "Log in" }));
  const busy = page.getByRole("button", { name: "Logging in…" });
  await expect.element(busy).toBeVisible();
  await userEvent.click(busy, { force: true });
  answer(json({ user: user() }));
  await expect.poll(() => loggedIn.length).toBe(1);
  expect(hub.bodiesOf(ROUTE)).toHaveLength(1);
});

test("who was logged in is told that the session ended and nothing is lost", async () => {
  await openForm({ again: true });
  await expect.element(page.getByRole("heading", { name: "Log in again" })).toBeVisible();
  await expect.element(page.getByText(/session has ended/)).toBeVisible();
});

test("a browser that keeps no cookie is told to, instead of asking for the password for ever", async () => {
  const { hub, loggedIn } = await openForm();
  hub.answers("GET /auth/me", () => problem("UNAUTHENTICATED", "Log in first", [], 401));
  await userEvent.click(page.getByRole("button", { name: "Log in" }));
  await expect.element(page.getByRole("alert")).toMatchTextContent(/Allow cookies/);
  expect(loggedIn).toEqual([]);
});

describe("a provider", () => {
  const byProvider = page.getByRole("link", { name: "Log in with Authentik" });

  async function openWithProvider(path: string, properties: Partial<LoginForm> = {}) {
    const { href } = location;
    history.replaceState(null, "", path);
    onTestFinished(() => history.replaceState(null, "", href));
    const hub = scriptedHub();
    hub.answers(PROVIDER, () => json({ enabled: true, name: "Authentik" }));
    const element = await mounted(LoginForm, properties);
    return { hub, loggedIn: heard(element, "logged-in") };
  }

  test("is offered by its name, and leads back to where one wanted to go", async () => {
    await openWithProvider("/devices/nas");
    await expect.element(byProvider).toHaveAttribute("href", "/api/auth/login/oauth?returnTo=%2Fdevices%2Fnas");
    await expect.element(byProvider).not.toHaveAttribute("target");
  });

  test("leads back there also when the first try failed", async () => {
    onTestFinished(() => sessionStorage.clear());
    await openWithProvider("/devices/nas");
    await expect.element(byProvider).toBeVisible();
    document.querySelector("login-form")?.remove();
    await openWithProvider("/login?problem=DENIED");
    await expect.element(byProvider).toHaveAttribute("href", "/api/auth/login/oauth?returnTo=%2Fdevices%2Fnas");
  });

  test("is at the hub's own address for a page inside Home Assistant", async () => {
    standInHomeAssistant();
    const hub = scriptedHub();
    // whatever stands before it, `/api` is cut off
    hub.answers(`GET ${INGRESS_PATH.slice("/api".length)}/api/config/oidc`, () =>
      json({ enabled: true, name: "Authentik" }),
    );
    await mounted(LoginForm);
    await expect.element(page.getByText(/The log-in with Authentik is at the hub's own address/)).toBeVisible();
    await expect.element(page.getByRole("link", { name: "http://hub.lan:8080" })).toHaveAttribute("target", "_blank");
    expect(byProvider.elements()).toEqual([]);
  });

  test("that is not set up is not offered", async () => {
    const { hub } = await openForm();
    await expect.poll(() => hub.calls).toHaveLength(1);
    expect(page.getByRole("link").elements()).toEqual([]);
  });

  test.each([
    ["in the hub's words", "EMAIL_TAKEN", /Another account here has your e-mail address/],
    ["in general words when the code is not known", "<b>anything</b>", /did not come through/],
  ])("that sent somebody back says why, %s", async (_what, code, words) => {
    await openWithProvider(`/login?${new URLSearchParams({ problem: code })}`);
    await expect.element(page.getByRole("alert")).toMatchTextContent(words);
  });

  test("opens beside what is still open, and the log-in is noticed when one comes back", async () => {
    const { hub, loggedIn } = await openWithProvider("/devices/nas", { again: true });
    hub.answers("GET /auth/me", () => problem("UNAUTHENTICATED", "Log in first", [], 401));
    await expect.element(byProvider).toHaveAttribute("target", "_blank");
    globalThis.dispatchEvent(new Event("focus"));
    await expect.poll(() => hub.bodiesOf("GET /auth/me")).toHaveLength(1);
    expect(loggedIn).toEqual([]);
    hub.answers("GET /auth/me", () => json(ACCOUNT));
    onTestFinished(() => session.forget());
    globalThis.dispatchEvent(new Event("focus"));
    await expect.poll(() => loggedIn).toHaveLength(1);
  });
});
