import { describe, expect, test } from "vitest";
import { page } from "vitest/browser";
import { loggedInAs } from "../fixtures/logged-in.ts";
import { mounted } from "../fixtures/mounted.ts";
import { me } from "../fixtures/rows.ts";
import { json, scriptedHub } from "../fixtures/scripted-hub.ts";
import { session } from "../account/session.ts";
import { SettingsPage } from "./settings-page.ts";

const list = page.getByRole("navigation", { name: "Settings" });
const offered = () =>
  list
    .getByRole("listitem")
    .elements()
    .map(({ textContent }) => textContent?.trim());

const OWN = ["Profile", "Sessions", "Tokens"];

describe("the settings", () => {
  test.each([
    ["viewer", OWN],
    ["user", OWN],
    ["admin", [...OWN, "Users", "MQTT credentials", "Home Assistant", "Audit log"]],
    ["superuser", [...OWN, "Users", "MQTT credentials", "Home Assistant", "Sign-on", "Sites", "Audit log"]],
  ] as const)("show the role %s what it may see", async (role, labels) => {
    loggedInAs(me({ role }));
    scriptedHub();
    await mounted(SettingsPage);
    expect(offered()).toEqual(labels);
  });

  test("open what the address names, and mark it", async () => {
    loggedInAs(me());
    const hub = scriptedHub();
    hub.answers("GET /auth/sessions?limit=200", () => json({ items: [], next: null, total: 0 }));
    await mounted(SettingsPage, { section: "sessions" });
    await expect.element(page.getByRole("heading", { name: "Sessions" })).toBeVisible();
    await expect.element(list.getByRole("link", { name: "Sessions" })).toHaveAttribute("aria-current", "page");
    await expect.element(list.getByRole("link", { name: "Tokens" })).toHaveAttribute("href", "/settings/tokens");
  });

  test.each(["users", "nowhere"])("say that there is no “%s” for somebody who may not see it", async (section) => {
    loggedInAs(me({ role: "user" }));
    const hub = scriptedHub();
    await mounted(SettingsPage, { section });
    await expect.element(page.getByText(/no such page in the settings/)).toBeVisible();
    expect(hub.calls).toEqual([]);
  });

  test("take away what the account may not see any more", async () => {
    loggedInAs(me({ role: "admin" }));
    const hub = scriptedHub();
    hub.answers("GET /auth/me", () => json(me({ role: "viewer" })));
    await mounted(SettingsPage, { section: "nowhere" });
    expect(offered()).toContain("Users");
    await session.load();
    await expect.poll(offered).toEqual(OWN);
  });
});
