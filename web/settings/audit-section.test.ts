import { describe, expect, onTestFinished, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import type { AuditRow } from "#contracts/api/audit.ts";
import { loggedInAs } from "../fixtures/logged-in.ts";
import { heard, mounted } from "../fixtures/mounted.ts";
import { ACCOUNT, HUB_INFO, SITE, me } from "../fixtures/rows.ts";
import { json, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { auditRow } from "../fixtures/settings-rows.ts";
import { live } from "../live/live.ts";
import { AuditSection } from "./audit-section.ts";

const FIRST = "GET /audit?limit=50";
const button = (name: string) => page.getByRole("button", { name, exact: true });
const select = (name: string) => page.getByRole("combobox", { name });
const entries = page.getByRole("listitem");
const entry = (index: number) => entries.nth(index).getByRole("group");
const fact = (name: string) =>
  page.getByRole("term").filter({ hasText: name }).element().nextElementSibling?.textContent;

const part = (items: AuditRow[], next: string | null = null) => json({ items, next, total: items.length });

async function open(rows: AuditRow[], account = ACCOUNT) {
  loggedInAs(account);
  onTestFinished(() => live.forget());
  const hub = scriptedHub();
  hub.answers(FIRST, () => part(rows));
  await mounted(AuditSection);
  return { hub, asked: () => hub.calls.map(({ route }) => route), toasts: heard(globalThis, "toast") };
}

describe("the audit log", () => {
  test("tells what was done to what, by whom and when, and what came of it", async () => {
    await open([
      auditRow({ at: new Date().toISOString() }),
      auditRow({
        action: "session.login",
        target: null,
        result: "refused",
        actor: { type: "stranger", id: null, name: "root" },
      }),
      auditRow({ action: "agent.copied", actor: { type: "system", id: null, name: null }, target: null }),
      auditRow({ actor: { type: "token", id: null, name: "script" } }),
    ]);
    await expect.element(page.getByText("4 entries")).toBeVisible();
    await expect.element(entry(0)).toMatchTextContent(/Wake a device NAS.*\d\d:\d\d · anna/);
    await expect.element(entry(1)).toMatchTextContent(/Log in Refused.* · root/);
    await expect.element(entry(2)).toMatchTextContent(/copied credential.*The hub itself/);
    await expect.element(entry(3)).toMatchTextContent(/script \(Token\)/);
  });

  test("tells in one line what was changed, or refused and why", async () => {
    const bob = { type: "user", id: null, name: "bob" };
    await open([
      auditRow({ action: "user.change", target: bob, details: { fields: ["email", "role"], role: "admin" } }),
      auditRow({
        action: "request.refused",
        target: null,
        result: "refused",
        reason: "FORBIDDEN",
        details: { route: "GET /api/users" },
      }),
      auditRow({ result: "refused", reason: "OF_A_NEWER_HUB" }),
      auditRow({ target: { type: "cluster", id: null, name: "home" }, details: { count: 3 } }),
    ]);
    await expect.element(entry(0)).toMatchTextContent(/Change an account bob · e-mail · role: Admin/);
    await expect
      .element(entry(1))
      .toMatchTextContent(/not allowed · GET \/api\/users Refused It is not allowed to them/);
    await expect.element(entry(2)).toMatchTextContent(/Refused OF_A_NEWER_HUB/);
    await expect.element(entry(3)).toMatchTextContent(/Wake a cluster home · 3 devices/);
  });

  test("tells everything that is known of an entry", async () => {
    const details = { devices: ["nas", "box"], "of a newer hub": true };
    const row = auditRow({ result: "failed", reason: "NO_AGENT", details, requestId: "req-7" });
    await open([row]);
    await userEvent.click(entry(0).getByText(/^Wake a device/));
    await expect.element(page.getByText("req-7")).toBeVisible();
    expect(fact("Result")).toBe("Failed");
    expect(fact("Why")).toBe("No agent can reach it NO_AGENT");
    await expect.element(page.getByText("Device NAS", { exact: true })).toBeVisible();
    expect(fact("From")).toBe("192.168.1.4");
    expect(fact("Devices")).toBe("nas, box");
    expect(fact("of a newer hub")).toBe("true");
    expect(fact("Hash")).toBe(row.hash);
  });

  test("that is empty says so", async () => {
    await open([]);
    await expect.element(page.getByText("Nothing fits.")).toBeVisible();
  });

  test("that cannot be read says why, and is read again when told", async () => {
    const { hub } = await open([]);
    hub.answers(FIRST, () => problem("DATABASE_UNAVAILABLE", "The database does not answer", [], 503));
    await userEvent.click(button("Read it again"));
    await expect.element(page.getByRole("alert")).toMatchTextContent(/database does not answer/);
    hub.answers(FIRST, () => part([auditRow()]));
    await userEvent.click(button("Read it again"));
    await expect.element(entries.first()).toBeVisible();
    expect(page.getByRole("alert").elements()).toEqual([]);
  });

  test("is read on as somebody comes to its end, to the end", async () => {
    const rows = Array.from({ length: 50 }, () => auditRow());
    loggedInAs(ACCOUNT);
    const hub = scriptedHub();
    hub.answers(FIRST, () => json({ items: rows, next: "c1", total: 51 }));
    hub.answers(`${FIRST}&cursor=c1`, () =>
      json({ items: [auditRow({ action: "hub.setup" })], next: null, total: 51 }),
    );
    await mounted(AuditSection);
    await expect.poll(() => entries.elements().length).toBe(50);
    expect(hub.calls).toHaveLength(1);
    const shownToTheEnd = () => {
      button("Show more").elements()[0]?.scrollIntoView(); // the list may still grow while it is scrolled
      return entries.elements().length;
    };
    await expect.poll(shownToTheEnd).toBe(51);
    await expect.element(entry(50)).toMatchTextContent(/Set the hub up/);
    expect(button("Show more").elements()).toEqual([]);
    expect(hub.calls).toHaveLength(2);
  });

  test("that cannot be written is said above it", async () => {
    live.connection = "live";
    live.hub = { ...HUB_INFO, audit: "failing" };
    await open([auditRow()]);
    await expect.element(page.getByText(/audit log cannot be written/)).toBeVisible();
  });
});

describe("the filter of the audit log", () => {
  test("asks for what is typed, once the typing ends", async () => {
    const { hub, asked } = await open([auditRow()]);
    await expect.element(entries.first()).toBeVisible();
    hub.answers("GET /audit?q=nas&limit=50", () => part([]));
    await userEvent.fill(page.getByRole("textbox", { name: "Find" }), "nas");
    await expect.element(page.getByText("Nothing fits.")).toBeVisible();
    expect(asked()).toEqual([FIRST, "GET /audit?q=nas&limit=50"]);
  });

  test("asks for an action, a result, who and when, in the time of this place", async () => {
    const { hub } = await open([auditRow()]);
    hub.answers("GET /audit?action=device.wake&limit=50", () => part([auditRow()]));
    const whole = "action=device.wake&result=refused&actor=token&from=2026-11-20T23%3A00%3A00.000Z";
    hub.answers("GET /audit?action=device.wake&result=refused&limit=50", () => part([]));
    hub.answers("GET /audit?action=device.wake&result=refused&actor=token&limit=50", () => part([]));
    hub.answers(`GET /audit?${whole}&limit=50`, () => part([]));
    await userEvent.click(page.getByText("More filters"));
    await userEvent.selectOptions(select("What"), "Wake a device");
    await userEvent.selectOptions(select("Result"), "Refused");
    await userEvent.selectOptions(select("Who"), "Token");
    await userEvent.fill(page.getByLabelText("From"), "2026-11-21T00:00");
    await expect.poll(() => hub.calls.at(-1)?.route).toBe(`GET /audit?${whole}&limit=50`);
  });

  test("never shows an answer that another choice overtook", async () => {
    const { hub } = await open([]);
    const late = hub.holds("GET /audit?result=ok&limit=50");
    hub.answers("GET /audit?result=failed&limit=50", () => part([auditRow({ action: "hub.setup" })]));
    await userEvent.click(page.getByText("More filters"));
    await userEvent.selectOptions(select("Result"), "Done");
    await userEvent.selectOptions(select("Result"), "Failed");
    await expect.element(entry(0)).toMatchTextContent(/Set the hub up/);
    late(part([auditRow(), auditRow()]));
    await expect.element(page.getByText("1 entry")).toBeVisible();
  });

  const options = (name: string) =>
    select(name)
      .getByRole("option")
      .elements()
      .map(({ textContent }) => textContent);

  test("of an admin has nothing of the hub's own", async () => {
    await open([], me({ role: "admin" }));
    await userEvent.click(page.getByText("More filters"));
    expect(options("What")).toContain("Wake a device");
    expect(options("What").join()).not.toMatch(/site|hub|sign-on/i);
    expect(select("Where").elements()).toEqual([]);
  });

  test("of a hub with one site does not speak of sites", async () => {
    await open([]);
    await userEvent.click(page.getByText("More filters"));
    expect(options("What")).toContain("Change the sign-on settings");
    expect(options("What").join()).not.toMatch(/\bsite/i);
  });

  test("of a hub with several asks where", async () => {
    const sites = ["a", "b"].map((key) => ({ ...SITE, key: key as typeof SITE.key, role: "superuser" as const }));
    const { hub, asked } = await open([], { ...ACCOUNT, sites });
    hub.answers("GET /audit?scope=hub&limit=50", () => part([]));
    await userEvent.click(page.getByText("More filters"));
    expect(options("What")).toContain("Add a site");
    await userEvent.selectOptions(select("Where"), "In the whole hub");
    await expect.poll(() => asked().at(-1)).toBe("GET /audit?scope=hub&limit=50");
  });
});

describe("an export of the audit log", () => {
  test.each([
    ["CSV", "csv"],
    ["JSON", "json"],
  ])("as %s honours the filter", async (label, format) => {
    const { hub, asked, toasts } = await open([auditRow()]);
    hub.answers("GET /audit?result=refused&limit=50", () => part([auditRow()]));
    hub.answers(`GET /audit/export?result=refused&format=${format}`, () => new Response("seq\n1\n"));
    await userEvent.click(page.getByText("More filters"));
    await userEvent.selectOptions(select("Result"), "Refused");
    await expect.poll(() => asked().length).toBe(2);
    await userEvent.click(button(`Export ${label}`));
    await expect.poll(() => asked().at(-1)).toBe(`GET /audit/export?result=refused&format=${format}`);
    expect(toasts).toEqual([]);
  });

  test("that fails says why", async () => {
    const { hub, toasts } = await open([auditRow()]);
    hub.answers("GET /audit/export?format=csv", () => problem("FORBIDDEN", "You may not", [], 403));
    await userEvent.click(button("Export CSV"));
    await expect.poll(() => toasts).toMatchObject([{ tone: "bad", text: "Nothing was exported: You may not" }]);
    await expect.element(button("Export CSV")).toHaveAttribute("aria-disabled", "false");
  });
});
