import { describe, expect, onTestFinished, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import type { IdentityAnswer, MeAnswer } from "#contracts/api/accounts.ts";
import { session } from "../account/session.ts";
import { loggedInAs } from "../fixtures/logged-in.ts";
import { focused, heard, mounted } from "../fixtures/mounted.ts";
import { freshId, me, secondsAgo } from "../fixtures/rows.ts";
import { json, noContent, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { ProfileSection } from "./profile-section.ts";

const CHANGE = "PATCH /auth/me";
const IDENTITIES = "GET /auth/identities?limit=200";
const field = (label: string) => page.getByLabelText(label, { exact: true });
const button = (name: string) => page.getByRole("button", { name, exact: true });

const anna = me({ username: "anna", fullName: "Anna", email: "anna@example.org", role: "user" });

interface Logins {
  readonly enabled?: boolean;
  readonly linked?: readonly IdentityAnswer[];
}

async function open(account: MeAnswer = anna, { enabled = false, linked = [] }: Logins = {}) {
  loggedInAs(account);
  const hub = scriptedHub();
  hub.answers("GET /config/oidc", () => json({ enabled, name: enabled ? "Authentik" : null }));
  hub.answers(IDENTITIES, () => json({ items: linked, next: null, total: linked.length }));
  hub.answers(CHANGE, ({ body }) => json({ ...account, ...(body as object) }));
  await mounted(ProfileSection);
  return { hub, toasts: heard(globalThis, "toast") };
}

const identity: IdentityAnswer = {
  id: freshId(),
  provider: "Authentik",
  issuer: "https://id.example.org",
  email: "anna@example.org",
  createdAt: secondsAgo(86_400),
  lastLoginAt: null,
};

describe("the profile", () => {
  test("tells what the account is called and what it may do", async () => {
    await open();
    await expect.element(page.getByText(/May add devices, clusters and schedules/)).toBeVisible();
    await expect.element(field("Name")).toHaveValue("Anna");
    await expect.element(field("E-mail")).toHaveValue("anna@example.org");
  });

  test("is saved with what was changed alone, and an empty field clears", async () => {
    const { hub, toasts } = await open();
    await userEvent.clear(field("E-mail"));
    await userEvent.keyboard("{Enter}");
    await expect.poll(() => toasts).toMatchObject([{ text: "Your profile is saved" }]);
    expect(hub.bodiesOf(CHANGE)).toEqual([{ email: null }]);
    expect(session.me?.email).toBeNull();
  });

  test("says at its field what the hub refuses", async () => {
    const { hub } = await open();
    const errors = [{ path: "email", message: "Another account has this e-mail address" }];
    hub.answers(CHANGE, () => problem("DUPLICATE", "Another account has this e-mail address", errors));
    await userEvent.fill(field("E-mail"), "ben@example.org");
    await userEvent.click(button("Save profile"));
    await expect.element(field("E-mail")).toHaveAccessibleDescription(/Another account/);
    await expect.poll(focused).toBe("email");
  });
});

describe("the password", () => {
  async function fill(again = "correct horse") {
    await userEvent.fill(field("Current password"), "old");
    await userEvent.fill(field("New password"), "correct horse");
    await userEvent.fill(field("New password once more"), again);
    await userEvent.keyboard("{Enter}");
  }

  test("is changed by who knows the old one; it is said that other sessions end, and nothing typed stays", async () => {
    const { hub, toasts } = await open();
    await expect.element(page.getByText(/every other session of yours ends/)).toBeVisible();
    await fill();
    await expect.poll(() => toasts).toMatchObject([{ text: expect.stringMatching(/other sessions have ended/) }]);
    expect(hub.bodiesOf(CHANGE)).toEqual([{ currentPassword: "old", password: "correct horse" }]);
    for (const label of ["Current password", "New password", "New password once more"])
      await expect.element(field(label)).toHaveValue("");
  });

  test("stays as it is when the two differ, and the hub is not asked", async () => {
    const { hub } = await open();
    await fill("correct hors");
    await expect.element(field("New password once more")).toHaveAccessibleDescription(/differ/);
    expect(hub.bodiesOf(CHANGE)).toEqual([]);
  });

  test.each([
    ["a wrong old password", "WRONG_PASSWORD", "currentPassword", "Current password"],
    ["a short new one", "INVALID_INPUT", "password", "New password"],
  ])("that is refused for %s says so at its field", async (_what, code, path, label) => {
    const { hub, toasts } = await open();
    hub.answers(CHANGE, () => problem(code, "It is not right", [{ path, message: "It is not right" }], 422));
    await fill();
    await expect.element(field(label)).toHaveAccessibleDescription(/It is not right/);
    expect(toasts).toEqual([]);
  });

  test("of an account without one is set without an old one", async () => {
    const { hub, toasts } = await open({ ...anna, hasPassword: false });
    expect(field("Current password").elements()).toEqual([]);
    await userEvent.fill(field("New password"), "correct horse");
    await userEvent.fill(field("New password once more"), "correct horse");
    await userEvent.click(button("Set password"));
    await expect.poll(() => toasts).toHaveLength(1);
    expect(hub.bodiesOf(CHANGE)).toEqual([{ password: "correct horse" }]);
  });
});

describe("log-ins by a provider", () => {
  test("are not spoken of where there are none", async () => {
    const { hub } = await open();
    await expect.poll(() => hub.calls).toHaveLength(2);
    expect(page.getByRole("heading", { name: "Log-in by provider" }).elements()).toEqual([]);
  });

  test("are linked at the provider", async () => {
    const { hub } = await open(anna, { enabled: true });
    const { href } = location;
    onTestFinished(() => history.replaceState(null, "", href));
    hub.answers("POST /auth/identities", () => json({ url: "#at-the-provider" }));
    await userEvent.click(button("Link an account at Authentik"));
    await expect.poll(() => location.hash).toBe("#at-the-provider");
  });

  test("that did not come through say why", async () => {
    const { href } = location;
    history.replaceState(null, "", "?problem=IDENTITY_TAKEN");
    onTestFinished(() => history.replaceState(null, "", href));
    await open(anna, { enabled: true });
    await expect.element(page.getByRole("alert")).toMatchTextContent(/Another user here logs in by this account/);
  });

  test("are unlinked, also when the provider is not there any more", async () => {
    const { hub } = await open(anna, { linked: [identity] });
    await expect.element(page.getByText(/not used yet/)).toBeVisible();
    expect(page.getByRole("button", { name: /Link an account/ }).elements()).toEqual([]);
    hub.answers(`DELETE /auth/identities/${identity.id}`, noContent);
    hub.answers(IDENTITIES, () => json({ items: [], next: null, total: 0 }));
    await userEvent.click(button("Unlink Authentik"));
    await expect.poll(() => page.getByText("anna@example.org").elements()).toEqual([]);
  });

  test("that are the only way in stay, and it is said why", async () => {
    await open({ ...anna, hasPassword: false }, { enabled: true, linked: [identity] });
    await expect.element(page.getByText(/Your only way to log in/)).toBeVisible();
    expect(page.getByRole("button", { name: /Unlink/ }).elements()).toEqual([]);
  });

  test("that cannot be unlinked after all stay, and it is said why", async () => {
    const { hub } = await open(anna, { enabled: true, linked: [identity] });
    hub.answers(`DELETE /auth/identities/${identity.id}`, () => problem("LAST_WAY_IN", "Set a password first"));
    await userEvent.click(button("Unlink Authentik"));
    await expect.element(page.getByRole("alert")).toMatchTextContent("Set a password first");
    await expect.element(button("Unlink Authentik")).toBeVisible();
  });

  test("that are linked already are not offered again", async () => {
    await open(anna, { enabled: true, linked: [identity] });
    await expect.element(button("Unlink Authentik")).toBeVisible();
    expect(page.getByRole("button", { name: /Link an account/ }).elements()).toEqual([]);
  });
});
