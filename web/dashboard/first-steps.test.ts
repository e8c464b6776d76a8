import { expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { heard, mounted } from "../fixtures/mounted.ts";
import { FirstSteps } from "./first-steps.ts";

test("a new hub shows what comes first, and leads there", async () => {
  const element = await mounted(FirstSteps, { mayJoin: true });
  const [joins, additions] = [heard(element, "join-agent"), heard(element, "add-device")];
  expect(page.getByRole("listitem").elements()).toHaveLength(3);
  await userEvent.click(page.getByRole("button", { name: "Join an agent" }));
  expect([joins.length, additions.length]).toEqual([1, 0]);
  await userEvent.click(page.getByRole("button", { name: "Add a device" }));
  expect([joins.length, additions.length]).toEqual([1, 1]);
});

test.each([
  [{}, 0],
  [{ hasAgent: true }, 1],
  [{ hasDevice: true }, 1],
  [{ hasAgent: true, hasDevice: true }, 2],
])("with %o %d steps are shown as done", async (properties, done) => {
  await mounted(FirstSteps, properties);
  expect(page.getByRole("img", { name: "Done" }).elements()).toHaveLength(done);
});

test("whoever may not join an agent adds a device, and is told who joins one", async () => {
  await mounted(FirstSteps);
  await expect.element(page.getByText("An admin does this.")).toBeVisible();
  expect(page.getByRole("button").elements()).toEqual([
    page.getByRole("button", { name: "import many from a file" }).element(),
    page.getByRole("button", { name: "Add a device" }).element(),
  ]);
});
