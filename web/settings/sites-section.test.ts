import { expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { loggedInAs } from "../fixtures/logged-in.ts";
import { heard, mounted } from "../fixtures/mounted.ts";
import { ACCOUNT } from "../fixtures/rows.ts";
import { json, noContent, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { site } from "../fixtures/settings-rows.ts";
import { SitesSection } from "./sites-section.ts";

const LIST = "GET /sites?limit=200";
const button = (name: string) => page.getByRole("button", { name, exact: true });
const card = (name: string) => page.getByRole("article", { name });
const field = page.getByRole("textbox", { name: "Name" });
const home = site({ id: ACCOUNT.site?.id ?? "", name: "Home", isDefault: true, devices: 3, agents: 1, members: 2 });

async function open(...sites: ReturnType<typeof site>[]) {
  loggedInAs(ACCOUNT);
  const hub = scriptedHub();
  const answer = (rows: typeof sites) => hub.answers(LIST, () => json({ items: rows, next: null, total: rows.length }));
  answer(sites);
  await mounted(SitesSection);
  return { hub, answer, toasts: heard(globalThis, "toast"), doubts: heard(globalThis, "session-doubtful") };
}

test("each site tells what it holds, and one sentence what a second one means", async () => {
  await open(home);
  await expect.element(card("Home")).toMatchTextContent(/came with the hub.*Devices 3 Agents 1 Members 2/);
  await expect.element(page.getByText(/kept apart from every other/)).toBeVisible();
});

test("a site is added, and the page asks anew what the account belongs to", async () => {
  const { hub, answer, doubts } = await open(home);
  hub.answers("POST /sites", () => json(site({ name: "Cabin" }), 201));
  await userEvent.click(button("Add"));
  await userEvent.fill(field, " Cabin ");
  answer([home, site({ name: "Cabin" })]);
  await userEvent.click(button("Add site"));
  await expect.element(card("Cabin")).toBeVisible();
  expect(hub.bodiesOf("POST /sites")).toEqual([{ name: "Cabin" }]);
  expect(doubts).toHaveLength(1);
});

test("a site is renamed; what the hub refuses stands at the field", async () => {
  const { hub } = await open(home);
  hub.answers(`PATCH /sites/${home.id}`, () =>
    problem("INVALID_INPUT", "Invalid", [{ path: "name", message: "is empty" }], 422),
  );
  await userEvent.click(button("Edit Home"));
  await userEvent.fill(field, "");
  await userEvent.click(button("Save"));
  await expect.element(field).toHaveAccessibleDescription("This is empty.");
  hub.answers(`PATCH /sites/${home.id}`, () => json(home));
  await userEvent.fill(field, "House");
  await userEvent.click(button("Save"));
  await expect.poll(() => hub.bodiesOf(`PATCH /sites/${home.id}`)).toEqual([{ name: "" }, { name: "House" }]);
});

test("a site that is empty is deleted after a question", async () => {
  const cabin = site({ name: "Cabin" });
  const { hub, answer, toasts } = await open(home, cabin);
  hub.answers(`DELETE /sites/${cabin.id}`, noContent);
  await userEvent.click(button("Edit Cabin"));
  await userEvent.click(button("Delete site"));
  await expect.element(page.getByText("Delete Cabin?")).toBeVisible();
  answer([home]);
  await userEvent.click(button("Delete"));
  await expect.poll(() => card("Cabin").elements()).toEqual([]);
  expect(toasts).toMatchObject([{ text: "Cabin is deleted" }]);
});

test("a site that the hub finds not empty stays, and the page says why", async () => {
  const cabin = site({ name: "Cabin" });
  const { hub } = await open(home, cabin);
  hub.answers(`DELETE /sites/${cabin.id}`, () => problem("SITE_IN_USE", "This site still has clusters"));
  await userEvent.click(button("Edit Cabin"));
  await userEvent.click(button("Delete site"));
  await userEvent.click(button("Delete"));
  await expect.element(page.getByText(/This site still has clusters/)).toBeVisible();
});

test.each([
  ["came with the hub", home, /came with the hub and cannot be deleted/],
  ["holds something", site({ name: "Cabin", devices: 1, agents: 2 }), /it holds 1 device and 2 agents/],
  ["is the one that the page shows", { ...home, isDefault: false, devices: 0, agents: 0 }, /shows another one/],
])("deleting is not offered where a site %s, and the page says why", async (_what, row, words) => {
  await open(row);
  await userEvent.click(button(`Edit ${row.name}`));
  await expect.element(page.getByRole("dialog").getByText(words)).toBeVisible();
  expect(button("Delete site").elements()).toEqual([]);
});
