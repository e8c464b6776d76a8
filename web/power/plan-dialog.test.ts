import { expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { heard, mounted } from "../fixtures/mounted.ts";
import { plan } from "../fixtures/power-rows.ts";
import { cluster, device } from "../fixtures/rows.ts";
import { json, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { PlanDialog } from "./plan-dialog.ts";

const home = cluster({ name: "Home" });
const [nas, box] = [device({ name: "NAS" }), device({ name: "Box" })];
const subject = { kind: "cluster", id: home.id, name: "Home" } as const;
const PLAN = (force: boolean) => `GET /clusters/${home.id}/plan?action=off&force=${force}`;
const button = (name: string) => page.getByRole("button", { name, exact: true });
const HELD = { NAS: { code: "LEASED", reason: "It is held on by ben" } };

test("a power-off shows who waits for whom, and what is refused stays on", async () => {
  const hub = scriptedHub();
  hub.answers(PLAN(false), () => json(plan([box, nas], { action: "off", refused: HELD, staggerMs: 2_000 })));
  hub.answers(`POST /clusters/${home.id}/power`, () => json({ devices: [] }, 202));
  const element = await mounted(PlanDialog, { subject, action: "off" });
  const [taken, closed] = [heard(element, "taken"), heard(element, "closed")];
  const steps = page.getByRole("listitem");
  await expect.element(steps.nth(0)).toMatchTextContent(/Box.*at once.*Goes down · by the agent on it \(shut down\)/s);
  await expect.element(steps.nth(1)).toMatchTextContent(/NAS.*It is held on by ben/s);
  await userEvent.click(button("Power off 1 device"));
  await expect.poll(() => closed.length).toBe(1);
  expect(taken).toEqual([[]]);
  expect(hub.bodiesOf(`POST /clusters/${home.id}/power`)).toEqual([{ action: "off", force: false }]);
});

test("what is refused goes down anyway after another look at what that means", async () => {
  const hub = scriptedHub();
  hub.answers(PLAN(false), () => json(plan([box, nas], { action: "off", refused: HELD })));
  hub.answers(PLAN(true), () => json(plan([box, nas], { action: "off" })));
  hub.answers(`POST /clusters/${home.id}/power`, () => json({ devices: [] }, 202));
  await mounted(PlanDialog, { subject, action: "off" });
  await userEvent.click(button("Do it anyway"));
  await userEvent.click(button("Power off 2 devices anyway"));
  await expect.poll(() => hub.bodiesOf(`POST /clusters/${home.id}/power`)).toEqual([{ action: "off", force: true }]);
});

test("where nothing can be done says so, and offers nothing; where a person may overrule it, that", async () => {
  const hub = scriptedHub();
  hub.answers(PLAN(false), () => json(plan([nas], { action: "off", refused: HELD })));
  await mounted(PlanDialog, { subject, action: "off" });
  await expect.element(page.getByText("Nothing can be powered off now:")).toBeVisible();
  expect(page.getByRole("button", { name: /^Power off/ }).elements()).toEqual([]);
  await expect.element(button("Do it anyway")).toBeVisible();
});

test("that the hub refuses stays open, and says why", async () => {
  const hub = scriptedHub();
  hub.answers(PLAN(false), () => json(plan([nas, box], { action: "off" })));
  hub.answers(`POST /clusters/${home.id}/power`, () => problem("TOO_MANY_REQUESTS", "Too many calls", [], 429));
  const element = await mounted(PlanDialog, { subject, action: "off" });
  const closed = heard(element, "closed");
  await userEvent.click(button("Power off 2 devices"));
  await expect.element(page.getByRole("alert")).toMatchTextContent("Too many calls");
  expect(closed).toEqual([]);
});
