import { expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { loggedInAs } from "../fixtures/logged-in.ts";
import { focused, heard, mounted } from "../fixtures/mounted.ts";
import { me } from "../fixtures/rows.ts";
import { json, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { ChangePassword } from "./change-password.ts";
import { session } from "./session.ts";

const ROUTE = "PATCH /auth/me";
const account = me({ username: "anna", mustChangePassword: true });
const field = (label: string) => page.getByLabelText(label, { exact: true });

async function openForm() {
  loggedInAs(account);
  const hub = scriptedHub();
  hub.answers(ROUTE, () => json({ ...account, mustChangePassword: false }));
  const element = await mounted(ChangePassword);
  return { hub, changed: heard(element, "changed"), loggedOut: heard(element, "log-out") };
}

async function fill(again = "a password of my own") {
  await userEvent.fill(field("Password that you were given"), "given");
  await userEvent.fill(field("New password"), "a password of my own");
  await userEvent.fill(field("New password once more"), again);
  await userEvent.keyboard("{Enter}");
}

test("the password that was given is changed for one of one's own", async () => {
  const { hub, changed } = await openForm();
  await expect.poll(focused).toBe("currentPassword");
  await fill();
  await expect.poll(() => changed.length).toBe(1);
  expect(hub.bodiesOf(ROUTE)).toEqual([{ password: "a password of my own", currentPassword: "given" }]);
  expect(session.me?.mustChangePassword).toBe(false);
});

test("two passwords that differ are said at the second, and the hub is not asked", async () => {
  const { hub } = await openForm();
  await fill("another one");
  await expect.element(field("New password once more")).toHaveAccessibleDescription(/differ/);
  expect(hub.calls).toEqual([]);
});

test("a wrong old password is said at its field", async () => {
  const { hub, changed } = await openForm();
  const errors = [{ path: "currentPassword", message: "This is not your current password" }];
  hub.answers(ROUTE, () => problem("WRONG_PASSWORD", "This is not your current password", errors, 422));
  await fill();
  await expect.element(field("Password that you were given")).toHaveAccessibleDescription(/not your current password/);
  expect(changed).toEqual([]);
});

test("who does not want to may leave", async () => {
  const { loggedOut } = await openForm();
  await userEvent.click(page.getByRole("button", { name: "Log out" }));
  expect(loggedOut).toHaveLength(1);
});
