import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import type { UserAnswer } from "#contracts/api/accounts.ts";
import { loggedInAs } from "../fixtures/logged-in.ts";
import { heard, mounted } from "../fixtures/mounted.ts";
import { ACCOUNT, SITE, freshId, me, user } from "../fixtures/rows.ts";
import { type ScriptedHub, json, noContent, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { UsersSection } from "./users-section.ts";

const row = (name: string) => page.getByRole("listitem").filter({ hasText: name });
const button = (name: string) => page.getByRole("button", { name, exact: true });
const dialog = page.getByRole("dialog");
const field = (label: string) => dialog.getByLabelText(label, { exact: true });
const roles = () => [...(field("Role").element() as HTMLSelectElement).options].map(({ label }) => label);

const admin = me({ username: "admin", role: "admin" });
const ben = user({ username: "ben", fullName: "Ben Okafor", email: "ben@example.org" });
const guest = user({ username: "guest", role: "viewer", enabled: false });

/** @param text that was searched. */
function shows(hub: ScriptedHub, users: readonly UserAnswer[], text = "", total = users.length): void {
  hub.answers(`GET /users?q=${text}&limit=50`, () => json({ items: users, next: null, total }));
}

async function open(users: readonly UserAnswer[], account = ACCOUNT) {
  loggedInAs(account);
  const hub = scriptedHub();
  shows(hub, users);
  hub.answers("GET /users?limit=200", () => json({ items: users, next: null, total: users.length }));
  await mounted(UsersSection);
  return { hub, toasts: heard(globalThis, "toast") };
}

describe("the users", () => {
  test("tell who each is, what it may do and whether it may at all", async () => {
    await open([ben, guest]);
    await expect.element(row("Ben Okafor")).toMatchTextContent(/User\s+ben · ben@example\.org · never logged in/);
    await expect.element(row("guest")).toMatchTextContent(/Viewer\s+Disabled/);
  });

  test("are searched at the hub, when one has stopped typing", async () => {
    const { hub } = await open([ben, guest]);
    shows(hub, [ben], "okafor");
    shows(hub, [], "nobody");
    await expect.element(row("guest")).toBeVisible();
    await userEvent.type(page.getByLabelText("Search users"), "okafor");
    await expect.poll(() => row("guest").elements()).toEqual([]);
    await expect.element(row("Ben Okafor")).toBeVisible();
    expect(hub.calls.filter(({ route }) => route.startsWith("GET /users?q="))).toHaveLength(2);
    await userEvent.fill(page.getByLabelText("Search users"), "nobody");
    await expect.element(page.getByText("Nobody is called “nobody”.")).toBeVisible();
  });

  test("who are many come in two steps", async () => {
    const { hub } = await open([]);
    const many = Array.from({ length: 250 }, (_, index) => user({ username: `u${index}` }));
    shows(hub, many.slice(0, 50), "u", 250);
    hub.answers("GET /users?q=u&limit=200", () => json({ items: many.slice(0, 200), next: "x", total: 250 }));
    await userEvent.fill(page.getByLabelText("Search users"), "u");
    await userEvent.click(button("Show more (200)"));
    await expect.poll(() => page.getByRole("listitem").elements()).toHaveLength(200);
    await expect.element(page.getByText("50 more are found by searching.")).toBeVisible();
  });

  test("are changed by who may: an admin is not offered admins, and nobody themselves", async () => {
    await open([ben, user({ username: "other", role: "admin" }), { ...admin }], admin);
    await expect.element(row("Ben Okafor").getByRole("button", { name: "Edit ben" })).toBeVisible();
    expect(row("other").getByRole("button").elements()).toEqual([]);
    await expect.element(row("admin").getByRole("link", { name: "Your profile" })).toBeVisible();
    expect(button("Edit admin").elements()).toEqual([]);
  });
});

describe("a new user", () => {
  test("gets a name, a role and a password that has to be changed", async () => {
    const { hub } = await open([]);
    hub.answers("POST /users", () => json(ben, 201));
    await userEvent.click(button("Add"));
    await userEvent.fill(field("User name"), "ben");
    await userEvent.selectOptions(field("Role"), "Viewer");
    await expect.element(field("Role")).toHaveAccessibleDescription(/change nothing/);
    await userEvent.fill(field("Password"), "first words");
    shows(hub, [ben]);
    await userEvent.click(button("Add user"));
    await expect.element(row("Ben Okafor")).toBeVisible();
    expect(hub.bodiesOf("POST /users")).toEqual([
      {
        username: "ben",
        fullName: null,
        email: null,
        role: "viewer",
        enabled: true,
        password: "first words",
        mustChangePassword: true,
      },
    ]);
  });

  test.each([
    [ACCOUNT, ["Superuser", "Admin", "User", "Viewer"]],
    [admin, ["User", "Viewer"]],
  ])("is offered the roles that $role may give", async (account, labels) => {
    await open([], account);
    await userEvent.click(button("Add"));
    expect(roles()).toEqual(labels);
  });

  test.each([
    ["a name that is taken", "username", "User name", "This name is taken"],
    ["a short password", "password", "Password", "It needs at least 8 characters"],
    ["a role that one may not give", "role", "Role", "Admins give the roles user and viewer"],
  ])("with %s is refused at its field", async (_what, path, label, message) => {
    const { hub } = await open([]);
    hub.answers("POST /users", () => problem("INVALID_INPUT", message, [{ path, message }], 422));
    await userEvent.click(button("Add"));
    await userEvent.click(button("Add user"));
    await expect.element(field(label)).toHaveAccessibleDescription(new RegExp(message));
  });
});

describe("a user", () => {
  const CHANGE = `PATCH /users/${ben.id}`;

  async function edit(account = ACCOUNT, who: UserAnswer = ben) {
    const opened = await open([who, guest], account);
    opened.hub.answers(CHANGE, () => json(who));
    await userEvent.click(button("Edit ben"));
    return opened;
  }

  test("is changed in what was changed alone", async () => {
    const { hub } = await edit();
    await userEvent.selectOptions(field("Role"), "Admin");
    await userEvent.click(field("Enabled"));
    await userEvent.click(button("Save"));
    await expect.poll(() => dialog.elements()).toEqual([]);
    expect(hub.bodiesOf(CHANGE)).toEqual([{ role: "admin", enabled: false }]);
  });

  test("gets a new password that has to be changed", async () => {
    const { hub } = await edit();
    await userEvent.click(dialog.getByText("Reset the password"));
    await userEvent.fill(field("New password"), "second words");
    await userEvent.click(button("Save"));
    await expect.poll(() => dialog.elements()).toEqual([]);
    expect(hub.bodiesOf(CHANGE)).toEqual([{ password: "second words", mustChangePassword: true }]);
  });

  test("who is the last superuser stays one, which is said at the role", async () => {
    const { hub } = await edit(ACCOUNT, { ...ben, role: "superuser" });
    const message = "The hub would be left without a superuser";
    hub.answers(CHANGE, () => problem("LAST_SUPERUSER", message, [{ path: "role", message }]));
    await userEvent.selectOptions(field("Role"), "Viewer");
    await userEvent.click(button("Save"));
    await expect.element(field("Role")).toHaveAccessibleDescription(/without a superuser/);
  });

  test("is taken out of a site by a superuser, where there is more than one", async () => {
    const sites = [SITE, { ...SITE, id: freshId(), name: "Office" }].map((site) => ({
      ...site,
      role: "superuser" as const,
    }));
    const { hub } = await edit({ ...ACCOUNT, sites });
    await userEvent.selectOptions(field("Role"), "Not in this site");
    await expect.element(field("Role")).toHaveAccessibleDescription(/Sees nothing of this site/);
    await userEvent.click(button("Save"));
    await expect.poll(() => hub.bodiesOf(CHANGE)).toEqual([{ role: null }]);
  });

  test("is deleted after a question, and somebody gets what was theirs", async () => {
    const { hub, toasts } = await edit();
    hub.answers(`DELETE /users/${ben.id}?heir=${guest.id}`, noContent);
    await userEvent.click(button("Delete user"));
    await userEvent.selectOptions(field("Devices and clusters of theirs go to"), "guest");
    shows(hub, [guest]);
    await userEvent.click(button("Delete"));
    await expect.poll(() => row("Ben Okafor").elements()).toEqual([]);
    expect(toasts).toMatchObject([{ text: "ben is deleted" }]);
  });

  test("that cannot be deleted stays, with the reason and the heir that was chosen", async () => {
    const { hub } = await edit();
    hub.answers(`DELETE /users/${ben.id}?heir=${guest.id}`, () => problem("LAST_SUPERUSER", "The last one stays"));
    await userEvent.click(button("Delete user"));
    await userEvent.selectOptions(field("Devices and clusters of theirs go to"), "guest");
    await userEvent.click(button("Delete"));
    await expect.element(dialog.getByText("Nothing was deleted: The last one stays")).toBeVisible();
    await expect.element(field("Devices and clusters of theirs go to")).toHaveValue(guest.id);
  });
});
