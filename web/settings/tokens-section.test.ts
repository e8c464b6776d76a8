import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import type { MeAnswer } from "#contracts/api/accounts.ts";
import type { TokenAnswer } from "#contracts/api/tokens.ts";
import type { Role } from "#contracts/rights.ts";
import { loggedInAs } from "../fixtures/logged-in.ts";
import { focused, mounted } from "../fixtures/mounted.ts";
import { SITE, freshId, me, secondsAgo } from "../fixtures/rows.ts";
import { json, noContent, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { TokensSection } from "./tokens-section.ts";

const LIST = "GET /tokens?limit=200";
const CREATE = "POST /tokens";
const SECRET = "pb_k3Xq9aZ1_secret";
const BROKER = { mqttUrl: "mqtt://hub.lan:1884", baseTopic: "house/pb" };
const card = (name: string) => page.getByRole("article", { name });
const button = (name: string) => page.getByRole("button", { name, exact: true });
const dialog = page.getByRole("dialog", { name: "Add a token" });
const ready = page.getByRole("dialog", { name: "Script is ready" });

function tokenRow(row: Partial<TokenAnswer> = {}): TokenAnswer {
  return {
    id: freshId(),
    name: "Script",
    prefix: "pb_k3Xq9aZ1",
    permissions: ["device:read", "device:wake"],
    mqttUsername: "~anna",
    createdAt: secondsAgo(86_400),
    expiresAt: null,
    lastUsedAt: null,
    lastAddress: null,
    ...row,
  };
}

async function open(tokens: readonly TokenAnswer[] = [], role: Role = "user", row: Partial<MeAnswer> = {}) {
  loggedInAs(me({ role, ...row }));
  const hub = scriptedHub();
  const show = (items: readonly TokenAnswer[]) =>
    hub.answers(LIST, () => json({ items, next: null, total: items.length }));
  show(tokens);
  hub.answers(CREATE, () => json({ ...tokenRow(), token: SECRET, ...BROKER }, 201));
  await mounted(TokensSection);
  return { hub, show };
}

describe("the tokens", () => {
  test("that are not there are said", async () => {
    await open();
    await expect.element(page.getByText("You have none.")).toBeVisible();
  });

  test("of one of several sites say of which", async () => {
    const cabin = { id: freshId(), key: "cabin" as typeof SITE.key, name: "Cabin" };
    const sites = [SITE, cabin].map((site) => ({ ...site, role: "user" as const }));
    await open([], "user", { site: cabin, sites });
    await expect.element(page.getByText("You have none for Cabin.")).toBeVisible();
    await expect.element(page.getByText(/here you see those for Cabin/)).toBeVisible();
  });

  test("tell what each may do, when it was used and from where", async () => {
    await open([
      tokenRow(),
      tokenRow({ name: "Phone", lastUsedAt: secondsAgo(60), lastAddress: "10.0.0.9", expiresAt: secondsAgo(3_600) }),
    ]);
    await expect.element(card("Script")).toMatchTextContent(/May see devices and wake devices\./);
    await expect.element(card("Script")).toMatchTextContent(/Last used\s+never/);
    await expect.element(card("Phone Expired")).toMatchTextContent(/ago, from 10\.0\.0\.9/);
  });

  test("are revoked after a question, and gone", async () => {
    const token = tokenRow();
    const { hub, show } = await open([token]);
    hub.answers(`DELETE /tokens/${token.id}`, () => {
      show([]);
      return noContent();
    });
    await userEvent.click(card("Script").getByRole("button", { name: "Revoke" }));
    await expect.element(page.getByText(/What uses it is shut out at once/)).toBeVisible();
    await expect.poll(focused).toBe("Keep");
    await userEvent.click(card("Script").getByRole("button", { name: "Revoke" }));
    await expect.element(page.getByText("You have none.")).toBeVisible();
  });
});

describe("a new token", () => {
  test("may do what is chosen, is shown this once, and no key closes it", async () => {
    const { hub } = await open();
    await userEvent.click(button("Add"));
    await userEvent.fill(dialog.getByLabelText("Name"), "Script");
    await userEvent.click(dialog.getByLabelText("See clusters"));
    await userEvent.selectOptions(dialog.getByLabelText("It expires"), "In a year");
    await userEvent.click(button("Add token"));
    await expect.element(ready.getByText(SECRET, { exact: true })).toBeVisible();
    await expect.element(ready.getByText(/^curl -H 'Authorization: Bearer pb_.+\/api\/devices$/)).toBeVisible();
    await expect.element(ready.getByText("~anna", { exact: true })).toBeVisible();
    await expect
      .element(ready.getByText(/^mosquitto_sub/))
      .toMatchTextContent(`mosquitto_sub -h hub.lan -p 1884 -u '~anna' -P ${SECRET} -t 'house/pb/#' -v`);
    expect(hub.bodiesOf(CREATE)).toEqual([
      { name: "Script", permissions: ["device:read", "device:wake"], expiresInDays: 365 },
    ]);
    await userEvent.keyboard("{Escape}{Escape}");
    await expect.element(ready).toBeVisible();
    await userEvent.click(button("I have copied it"));
    await expect.poll(() => page.getByText(SECRET).elements()).toEqual([]);
  });

  test("may be for ever", async () => {
    const { hub } = await open();
    await userEvent.click(button("Add"));
    await userEvent.fill(dialog.getByLabelText("Name"), "Script");
    await userEvent.selectOptions(dialog.getByLabelText("It expires"), "Never");
    await userEvent.click(button("Add token"));
    await expect.element(ready).toBeVisible();
    expect(hub.bodiesOf(CREATE)).toMatchObject([{ expiresInDays: null }]);
  });

  test("is offered nothing that the account may not do itself", async () => {
    await open([], "viewer");
    await userEvent.click(button("Add"));
    const labels = dialog
      .getByRole("checkbox")
      .elements()
      .map((box) => box.nextElementSibling?.textContent);
    expect(labels).toEqual(["See devices", "See clusters", "See schedules"]);
  });

  test("that may not read devices is tried with what it may read", async () => {
    const { hub } = await open();
    const created = { ...tokenRow({ permissions: ["cluster:read"] }), token: SECRET, ...BROKER };
    hub.answers(CREATE, () => json(created, 201));
    await userEvent.click(button("Add"));
    await userEvent.fill(dialog.getByLabelText("Name"), "Script");
    await userEvent.click(button("Add token"));
    await expect.element(ready.getByText(/^curl .*\/api\/clusters$/)).toBeVisible();
    expect(ready.getByText(/mosquitto_sub/).elements()).toEqual([]);
  });

  test("for nothing is not asked for", async () => {
    const { hub } = await open([], "viewer");
    await userEvent.click(button("Add"));
    await userEvent.fill(dialog.getByLabelText("Name"), "Script");
    for (const label of ["See devices", "See clusters"]) await userEvent.click(dialog.getByLabelText(label));
    await userEvent.click(button("Add token"));
    await expect.element(dialog.getByText(/Choose at least one/)).toBeVisible();
    expect(hub.bodiesOf(CREATE)).toEqual([]);
  });

  test("that is refused says why at its field", async () => {
    const { hub } = await open();
    hub.answers(CREATE, () => problem("INVALID_INPUT", "Wrong", [{ path: "name", message: "is empty" }], 422));
    await userEvent.click(button("Add"));
    await userEvent.click(button("Add token"));
    await expect.element(dialog.getByLabelText("Name")).toHaveAccessibleDescription(/This is empty/);
  });
});
