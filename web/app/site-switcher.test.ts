import { expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { loggedInAs } from "../fixtures/logged-in.ts";
import { heard, mounted } from "../fixtures/mounted.ts";
import { SITE, freshId, me } from "../fixtures/rows.ts";
import { SiteSwitcher } from "./site-switcher.ts";

const cabin = { id: freshId(), key: "cabin" as typeof SITE.key, name: "Cabin" };
const both = [
  { ...SITE, role: "admin" as const },
  { ...cabin, role: "viewer" as const },
];
const switcher = page.getByRole("combobox", { name: "Site" });

test("whoever belongs to one site has nothing to choose, and does not read the word", async () => {
  loggedInAs(me());
  const element = await mounted(SiteSwitcher);
  expect(element.shadowRoot?.textContent?.trim()).toBe("");
  expect(switcher.elements()).toEqual([]);
});

test("whoever belongs to several sees which is shown, and chooses another", async () => {
  loggedInAs(me({ sites: both }));
  await mounted(SiteSwitcher);
  const chosen = heard(document.body, "site-chosen");
  await expect.element(switcher).toHaveValue(SITE.key);
  await userEvent.selectOptions(switcher, "Cabin");
  expect(chosen).toEqual(["cabin"]);
});
