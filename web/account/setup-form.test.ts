import { expect, onTestFinished, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { focused, heard, mounted } from "../fixtures/mounted.ts";
import { ACCOUNT, user } from "../fixtures/rows.ts";
import { json, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { session } from "./session.ts";
import { SetupForm } from "./setup-form.ts";

const INIT = "POST /setup/init";
const LOGIN = "POST /auth/login";
const field = (label: string) => page.getByLabelText(label, { exact: true });

async function openForm() {
  const hub = scriptedHub();
  hub.answers(INIT, () => json(user(), 201));
  hub.answers(LOGIN, () => json({ user: user() }));
  hub.answers("GET /auth/me", () => json(ACCOUNT));
  onTestFinished(() => session.forget());
  return { hub, isSetUp: heard(await mounted(SetupForm), "set-up") };
}

async function fill(again = "correct horse battery") {
  await userEvent.fill(field("Set-up code"), "abc123");
  await userEvent.fill(field("User name"), "admin");
  await userEvent.fill(field("Password"), "correct horse battery");
  await userEvent.fill(field("Password once more"), again);
  await userEvent.keyboard("{Enter}");
}

test("the first account is made with the hub's code, and is logged in", async () => {
  const { hub, isSetUp } = await openForm();
  await expect.poll(focused).toBe("setupCode");
  await fill();
  await expect.poll(() => isSetUp.length).toBe(1);
  expect(session.me).toEqual(ACCOUNT);
  expect(hub.bodiesOf(INIT)).toEqual([{ setupCode: "abc123", username: "admin", password: "correct horse battery" }]);
  expect(hub.bodiesOf(LOGIN)).toEqual([{ username: "admin", password: "correct horse battery" }]);
});

test("two passwords that differ are said at the second, and the hub is not asked", async () => {
  const { hub } = await openForm();
  await fill("correct horse");
  await expect.element(field("Password once more")).toHaveAccessibleDescription(/differ/);
  await expect.poll(focused).toBe("passwordAgain");
  expect(hub.calls).toEqual([]);
});

test.each([
  ["a wrong code", "BAD_SETUP_CODE", "The set-up code is not the one in the hub's log", "setupCode", "Set-up code"],
  ["a short password", "INVALID_INPUT", "The password needs at least 8 characters", "password", "Password"],
  ["a name that cannot be", "INVALID_INPUT", "is shorter than 3 characters", "username", "User name"],
])("%s is said at its field, and what was typed stays", async (_what, code, message, path, label) => {
  const { hub, isSetUp } = await openForm();
  hub.answers(INIT, () => problem(code, message, [{ path, message }], 422));
  await fill();
  await expect.element(field(label)).toHaveAccessibleDescription(new RegExp(message));
  await expect.poll(focused).toBe(path);
  await expect.element(field("Set-up code")).toHaveValue("abc123");
  expect(isSetUp).toEqual([]);
});

test("a set-up that came through goes on to the log-in when only that failed, and is tried again", async () => {
  const { hub, isSetUp } = await openForm();
  hub.answers(LOGIN, () => Promise.reject(new TypeError("Failed to fetch")));
  await fill();
  await expect.element(page.getByRole("alert")).toMatchTextContent(/cannot be reached/);
  hub.answers(INIT, () => problem("SETUP_COMPLETE", "This hub is set up already"));
  hub.answers(LOGIN, () => json({ user: user() }));
  await userEvent.click(page.getByRole("button", { name: "Make the account" }));
  await expect.poll(() => isSetUp.length).toBe(1);
});
