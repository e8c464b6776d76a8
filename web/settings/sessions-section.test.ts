import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import type { SessionAnswer } from "#contracts/api/accounts.ts";
import { heard, mounted } from "../fixtures/mounted.ts";
import { freshId, secondsAgo } from "../fixtures/rows.ts";
import { json, noContent, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { SessionsSection } from "./sessions-section.ts";

const LIST = "GET /auth/sessions?limit=200";
const row = (name: string) => page.getByRole("listitem").filter({ hasText: name });
const button = (name: string) => page.getByRole("button", { name, exact: true });

function sessionRow(row: Partial<SessionAnswer> = {}): SessionAnswer {
  return {
    id: freshId(),
    current: false,
    address: "192.168.1.20",
    userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    createdAt: secondsAgo(86_400),
    lastUsedAt: secondsAgo(60),
    expiresAt: secondsAgo(-86_400),
    ...row,
  };
}

const here = sessionRow({ current: true });
const script = sessionRow({ userAgent: "curl/8.14.1", address: "10.0.0.9" });
const phone = sessionRow({ userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Safari/604.1" });

async function open(...sessions: SessionAnswer[]) {
  const hub = scriptedHub();
  const show = (items: readonly SessionAnswer[]) =>
    hub.answers(LIST, () => json({ items, next: null, total: items.length }));
  show(sessions);
  const element = await mounted(SessionsSection);
  return { hub, show, toasts: heard(globalThis, "toast"), loggedOut: heard(element, "log-out") };
}

describe("the sessions", () => {
  test("tell with what, from where and when somebody was here, and which one this is", async () => {
    await open(here, script);
    await expect.element(row("Firefox on Linux")).toMatchTextContent(/This one.*192\.168\.1\.20/s);
    await expect.element(row("curl")).toMatchTextContent(/10\.0\.0\.9 · used .+ ago · logged in/);
    await expect.element(row("curl")).not.toMatchTextContent(/This one/);
  });

  test("are ended one by one", async () => {
    const { hub, show } = await open(here, script);
    hub.answers(`DELETE /auth/sessions/${script.id}`, () => {
      show([here]);
      return noContent();
    });
    await userEvent.click(button("End the session of curl"));
    await expect.poll(() => row("curl").elements()).toEqual([]);
    await expect.element(row("Firefox on Linux")).toBeVisible();
  });

  test("elsewhere are ended all at once, this one not", async () => {
    const { hub, show } = await open(here, script, phone);
    for (const { id } of [script, phone])
      hub.answers(`DELETE /auth/sessions/${id}`, () => {
        show([here]);
        return noContent();
      });
    await userEvent.click(button("Log out everywhere else"));
    await expect.poll(() => page.getByRole("listitem").elements()).toHaveLength(1);
    const ended = hub.calls.map(({ route }) => route).filter((route) => route.startsWith("DELETE"));
    expect(ended).toEqual([script, phone].map(({ id }) => `DELETE /auth/sessions/${id}`));
    expect(button("Log out everywhere else").elements()).toEqual([]);
  });

  test("that ended by themselves meanwhile are no problem", async () => {
    const { hub, show, toasts } = await open(here, script);
    hub.answers(`DELETE /auth/sessions/${script.id}`, () => {
      show([here]);
      return problem("NOT_FOUND", "There is no such session", [], 404);
    });
    await userEvent.click(button("End the session of curl"));
    await expect.poll(() => row("curl").elements()).toEqual([]);
    expect(toasts).toEqual([]);
  });

  test("that could not be ended stay, and it is said why", async () => {
    const { hub, toasts } = await open(here, script);
    hub.answers(`DELETE /auth/sessions/${script.id}`, () => problem("DATABASE_UNAVAILABLE", "No database", [], 503));
    await userEvent.click(button("End the session of curl"));
    await expect.poll(() => toasts).toMatchObject([{ tone: "bad", text: "No database" }]);
    await expect.element(button("End the session of curl")).toBeVisible();
  });

  test("of this browser is left by logging out", async () => {
    const { hub, loggedOut } = await open(here);
    await userEvent.click(button("Log out"));
    expect(loggedOut).toHaveLength(1);
    expect(hub.calls).toHaveLength(1);
  });
});
