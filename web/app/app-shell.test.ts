import { describe, expect, onTestFinished, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import type { LiveEvent } from "#contracts/api/live.ts";
import { mounted } from "../fixtures/mounted.ts";
import { ACCOUNT, HUB_INFO, SITE, agent, device, me, user } from "../fixtures/rows.ts";
import { type ScriptedHub, json, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { scriptedStreams } from "../fixtures/scripted-stream.ts";
import { live } from "../live/live.ts";
import { session } from "../account/session.ts";
import { chooseSite } from "../api/site.ts";
import { AppShell } from "./app-shell.ts";
import { navigate } from "./router.ts";

const NOBODY = () => problem("UNAUTHENTICATED", "Log in first", [], 401);
const nas = device({ name: "NAS" });

const button = (name: string) => page.getByRole("button", { name, exact: true });
const loginAbove = page.getByRole("dialog", { name: "Log in again" });

/** The page at a path, and the hub that it asks. */
async function openPage(path: string, script: (hub: ScriptedHub) => void) {
  const { href } = location;
  history.replaceState(null, "", path);
  onTestFinished(() => history.replaceState(null, "", href));
  const hub = scriptedHub();
  hub.answers("POST /auth/login", () => letIn(hub));
  script(hub);
  const streams = scriptedStreams();
  onTestFinished(() => live.forget());
  onTestFinished(() => session.forget());
  await mounted(AppShell);
  return { hub, streams };
}

/** From now on somebody is logged in. */
function letIn(hub: ScriptedHub): Response {
  hub.answers("GET /auth/me", () => json(ACCOUNT));
  return json({ user: ACCOUNT });
}

function snapshot(): LiveEvent {
  const at = new Date().toISOString();
  return { event: "snapshot", data: { at, devices: [nas], clusters: [], agents: [agent()], hub: HUB_INFO } };
}

async function openLoggedIn(path = "/") {
  const opened = await openPage(path, (hub) => hub.answers("GET /auth/me", () => json(ACCOUNT)));
  await expect.poll(() => opened.streams).toHaveLength(1);
  opened.streams[0]?.send(snapshot());
  await expect.element(page.getByRole("article", { name: "NAS" })).toBeVisible();
  return opened;
}

async function logIn() {
  await userEvent.fill(page.getByLabelText("User name"), "admin");
  await userEvent.fill(page.getByLabelText("Password", { exact: true }), "secret");
  await userEvent.keyboard("{Enter}");
}

describe("the page", () => {
  test("of a new hub sets it up, whatever the address says, and goes on to the dashboard", async () => {
    const { hub, streams } = await openPage("/devices/nas", (hub) => {
      hub.answers("GET /auth/me", NOBODY);
      hub.answers("GET /setup/status", () => json({ complete: false }));
      hub.answers("POST /setup/init", () => json(user(), 201));
    });
    await expect.element(page.getByLabelText("Set-up code")).toBeVisible();
    expect(location.pathname).toBe("/setup");
    await userEvent.fill(page.getByLabelText("Set-up code"), "abc");
    await userEvent.click(button("Make the account"));
    await expect.poll(() => streams).toHaveLength(1);
    expect(location.pathname).toBe("/");
    expect(hub.calls.map(({ route }) => route)).toContain("POST /setup/init");
  });

  test("asks who is there to log in, and then opens what the address names", async () => {
    const { streams } = await openPage("/agents/pi", (hub) => {
      hub.answers("GET /auth/me", NOBODY);
      hub.answers("GET /setup/status", () => json({ complete: true }));
    });
    await expect.element(page.getByRole("heading", { name: "Log in" })).toBeVisible();
    expect(streams).toHaveLength(0);
    await logIn();
    await expect.poll(() => streams).toHaveLength(1);
    streams[0]?.send(snapshot());
    await expect.element(page.getByRole("dialog", { name: "Pi" })).toBeVisible();
  });

  test("does not show a set-up that is over", async () => {
    await openPage("/setup", (hub) => {
      hub.answers("GET /auth/me", NOBODY);
      hub.answers("GET /setup/status", () => json({ complete: true }));
    });
    await expect.element(page.getByRole("heading", { name: "Log in" })).toBeVisible();
    expect(location.pathname).toBe("/login");
  });

  test("leaves the log-in behind for whoever is logged in", async () => {
    await openLoggedIn("/login");
    expect(location.pathname).toBe("/");
  });

  test("says that the hub cannot be reached", async () => {
    await openPage("/", () => {});
    await expect.element(page.getByRole("status").first()).toMatchTextContent(/cannot be reached/);
  });
});

describe("a session that ends while somebody works", () => {
  test("is asked for above the page, however often Escape is pressed, and what was typed stays", async () => {
    const { hub, streams } = await openLoggedIn();
    await userEvent.click(button("Add"));
    await userEvent.click(button("Device"));
    await userEvent.fill(page.getByRole("textbox", { name: "Name" }), "Box");
    hub.answers("GET /auth/me", NOBODY);
    hub.answers("POST /devices", NOBODY);
    await userEvent.click(button("Add device"));
    await expect.element(loginAbove).toBeVisible();
    for (let times = 0; times < 3; times++) await userEvent.keyboard("{Escape}");
    await expect.element(loginAbove).toBeVisible();
    hub.answers("POST /devices", () => json(device({ name: "Box" }), 201));
    await logIn();
    await expect.poll(() => loginAbove.elements()).toEqual([]);
    await expect.element(page.getByRole("textbox", { name: "Name" })).toHaveValue("Box");
    await userEvent.click(button("Add device"));
    await expect.poll(() => page.getByRole("dialog").elements()).toEqual([]);
    expect(hub.bodiesOf("POST /devices").at(-1)).toMatchObject({ name: "Box" });
    expect(streams.length).toBeGreaterThan(1);
  });

  test("is noticed when the live stream is refused, and nothing is asked for before somebody logs in", async () => {
    const { hub, streams } = await openLoggedIn();
    hub.answers("GET /auth/me", NOBODY);
    streams[0]?.isRefused();
    await expect.element(loginAbove).toBeVisible();
    expect(streams.map(({ readyState }) => readyState)).toEqual([EventSource.CLOSED]);
    await logIn();
    await expect.poll(() => streams).toHaveLength(2);
  });

  test("may be left for good, with everything that was shown", async () => {
    const { hub, streams } = await openLoggedIn();
    hub.answers("GET /auth/me", NOBODY);
    streams[0]?.isRefused();
    await userEvent.click(button("Discard it and leave"));
    await expect.poll(() => loginAbove.elements()).toEqual([]);
    await expect.element(page.getByRole("heading", { name: "Log in" })).toBeVisible();
    expect(location.pathname).toBe("/login");
    expect(page.getByRole("article", { name: "NAS" }).elements()).toEqual([]);
  });

  test("is told apart from a hub that cannot be reached", async () => {
    const { hub, streams } = await openLoggedIn();
    hub.answers("GET /auth/me", () => Promise.reject(new TypeError("Failed to fetch")));
    streams[0]?.isRefused();
    await expect.poll(() => hub.calls.filter(({ route }) => route === "GET /auth/me").length).toBe(2);
    await expect.element(page.getByText(/connection to the hub is lost/)).toBeVisible();
    expect(loginAbove.elements()).toEqual([]);
  });
});

test("who gets another role meanwhile is told so, and loses the settings that are not theirs any more", async () => {
  const { hub, streams } = await openLoggedIn();
  hub.answers("GET /users?q=&limit=50", () => json({ items: [], next: null, total: 0 }));
  navigate("/settings/users");
  await expect.element(page.getByRole("link", { name: "Users" })).toBeVisible();
  hub.answers("GET /auth/me", () => json(me({ ...ACCOUNT, role: "viewer", permissions: ["self", "device:read"] })));
  streams[0]?.breaks();
  await expect.element(page.getByText("Your role is Viewer now")).toBeVisible();
  await expect.element(page.getByText(/your account may not see it/)).toBeVisible();
  expect(page.getByRole("link", { name: "Users" }).elements()).toEqual([]);
});

test("who was let into another site meanwhile may choose it when they look again", async () => {
  const { hub } = await openLoggedIn();
  expect(page.getByLabelText("Site").elements()).toEqual([]);
  const cabin = { id: SITE.id.replace(/^0/, "1"), key: "cabin", name: "Cabin", role: "user" };
  hub.answers("GET /auth/me", () => json({ ...ACCOUNT, sites: [...ACCOUNT.sites, cabin] }));
  document.dispatchEvent(new Event("visibilitychange"));
  await expect.element(page.getByLabelText("Site")).toBeVisible();
});

test("who logs out leaves nothing of what was shown to the next one", async () => {
  const { hub, streams } = await openLoggedIn();
  hub.answers("POST /auth/logout", () => json({ logoutUrl: null }));
  await userEvent.click(button("Account and settings"));
  await userEvent.click(button("Log out"));
  await expect.element(page.getByRole("heading", { name: "Log in" })).toBeVisible();
  expect(location.pathname).toBe("/login");
  await logIn();
  await expect.poll(() => streams).toHaveLength(2);
  await expect.element(page.getByText("Loading…")).toBeVisible();
  expect(page.getByRole("article", { name: "NAS" }).elements()).toEqual([]);
});

test("who cannot log out because the hub is away is told so", async () => {
  const { hub } = await openLoggedIn();
  hub.answers("POST /auth/logout", () => Promise.reject(new TypeError("Failed to fetch")));
  await userEvent.click(button("Account and settings"));
  await userEvent.click(button("Log out"));
  await expect.element(page.getByText(/You are still logged in: The hub cannot be reached/)).toBeVisible();
  await expect.element(page.getByRole("article", { name: "NAS" })).toBeVisible();
});

test("another site is asked for by its key, and shows nothing of the one before", async () => {
  const { hub, streams } = await openLoggedIn();
  hub.answers("GET /auth/me", () => json({ ...ACCOUNT, site: { ...SITE, key: "office" } }));
  const bar = document.querySelector("app-shell")?.shadowRoot?.querySelector("dashboard-page");
  bar?.dispatchEvent(new CustomEvent("site-chosen", { detail: "office", bubbles: true, composed: true }));
  await expect.poll(() => streams).toHaveLength(2);
  expect(hub.calls.at(-1)?.headers.get("x-powerbeacon-site")).toBe("office");
  expect(page.getByRole("article", { name: "NAS" }).elements()).toEqual([]);
});

test("a site that is closed to the account gives way to its first one", async () => {
  chooseSite("office");
  const { hub } = await openPage("/", (hub) =>
    hub.answers("GET /auth/me", ({ headers }) =>
      headers.has("x-powerbeacon-site") ? problem("NO_SITE", "You do not belong to this site", [], 403) : json(ACCOUNT),
    ),
  );
  await expect.element(page.getByText("Loading…")).toBeVisible();
  await expect.poll(() => hub.calls).toHaveLength(2);
  await expect.poll(() => session.me).toEqual(ACCOUNT);
});

describe("somebody whose password was set by another", () => {
  test("gets nothing but the form to change it, and then what was asked for", async () => {
    const { hub, streams } = await openPage("/settings/profile", (hub) =>
      hub.answers("GET /auth/me", () => json({ ...ACCOUNT, mustChangePassword: true })),
    );
    await expect.element(page.getByRole("heading", { name: /password of your own/ })).toBeVisible();
    expect(page.getByRole("banner").elements()).toEqual([]);
    expect(streams).toHaveLength(0);
    hub.answers("PATCH /auth/me", () => json(ACCOUNT));
    await userEvent.fill(page.getByLabelText("Password that you were given"), "given");
    await userEvent.fill(page.getByLabelText("New password", { exact: true }), "a password of my own");
    await userEvent.fill(page.getByLabelText("New password once more"), "a password of my own");
    await userEvent.keyboard("{Enter}");
    await expect.element(page.getByRole("navigation", { name: "Settings" })).toBeVisible();
    await expect.poll(() => streams).toHaveLength(1);
  });
});

test("who belongs to no site is told so, and may still reach the profile", async () => {
  const { streams } = await openPage("/", (hub) =>
    hub.answers("GET /auth/me", () => json(me({ role: null, site: null, permissions: ["self"] }))),
  );
  await expect.element(page.getByText(/not been let in anywhere/)).toBeVisible();
  await userEvent.click(button("Account and settings"));
  await userEvent.click(page.getByRole("link", { name: "Settings" }));
  await expect.element(page.getByRole("heading", { name: "Profile" })).toBeVisible();
  expect(streams).toHaveLength(0);
});

test("a log-out goes on to the provider when the hub says so", async () => {
  const { hub } = await openLoggedIn();
  hub.answers("POST /auth/logout", () => json({ logoutUrl: "#at-the-provider" }));
  await userEvent.click(button("Account and settings"));
  await userEvent.click(button("Log out"));
  await expect.poll(() => location.hash).toBe("#at-the-provider");
});

test("the browser's own way back leaves the settings, but not with what was typed there", async () => {
  const { hub } = await openLoggedIn();
  hub.answers("GET /tokens?limit=200", () => json({ items: [], next: null, total: 0 }));
  const name = page.getByRole("dialog", { name: "Add a token" }).getByLabelText("Name");
  await userEvent.click(button("Account and settings"));
  await userEvent.click(page.getByRole("link", { name: "Settings" }));
  await userEvent.click(page.getByRole("link", { name: "Tokens" }));
  await userEvent.click(button("Add"));
  await userEvent.fill(name, "Script");
  history.back();
  await expect.element(page.getByText("Discard what you typed?")).toBeVisible();
  await expect.element(name).toHaveValue("Script");
  expect(location.pathname).toBe("/settings/tokens");
  await userEvent.click(button("Discard"));
  await expect.poll(() => page.getByRole("dialog").elements()).toEqual([]);
  history.back();
  await expect.element(page.getByRole("heading", { name: "Profile" })).toBeVisible();
});

test("a link of ours opens in place, and the browser's own way back closes it", async () => {
  const { hub } = await openLoggedIn();
  hub.answers(`GET /devices/${nas.id}/wakes?limit=5`, () => json({ items: [], next: null, total: 0 }));
  await userEvent.click(page.getByRole("link", { name: "NAS" }));
  await expect.element(page.getByRole("dialog", { name: "NAS" })).toBeVisible();
  expect(location.pathname).toBe("/devices/nas");
  history.back();
  await expect.poll(() => page.getByRole("dialog").elements()).toEqual([]);
  history.forward();
  await expect.element(page.getByRole("dialog", { name: "NAS" })).toBeVisible();
});
