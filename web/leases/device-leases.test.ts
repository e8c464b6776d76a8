import { expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import type { LeaseAnswer } from "#contracts/api/leases.ts";
import { mounted } from "../fixtures/mounted.ts";
import { device, freshId, secondsAgo } from "../fixtures/rows.ts";
import { json, noContent, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { DeviceLeases } from "./device-leases.ts";

const nas = device({ name: "NAS" });
const LIST = `GET /devices/${nas.id}/leases?limit=200`;
const HOLD = `POST /devices/${nas.id}/leases`;
const button = (name: string | RegExp) => page.getByRole("button", { name });

function lease(row: Partial<LeaseAnswer> = {}): LeaseAnswer {
  return {
    id: freshId(),
    device: nas.key,
    deviceId: nas.id,
    heldBy: "anna",
    holder: "person",
    reason: null,
    since: secondsAgo(60),
    until: null,
    endedAt: null,
    endedBecause: null,
    ...row,
  };
}

async function open(leases: LeaseAnswer[], properties: Partial<DeviceLeases> = {}) {
  const hub = scriptedHub();
  hub.answers(LIST, () => json({ items: leases, next: null, total: leases.length }));
  hub.answers(HOLD, () => json(lease(), 201));
  const held = leases.filter(({ endedAt }) => endedAt === null).length;
  await mounted(DeviceLeases, { device: { ...nas, leases: held }, mayHold: true, username: "anna", ...properties });
  return hub;
}

test("it says who holds it on and why, and lets each give back what is theirs", async () => {
  const [mine, others] = [lease({ reason: "a backup runs" }), lease({ heldBy: "ben" })];
  const hub = await open([mine, others, lease({ heldBy: "gone", endedAt: secondsAgo(5) })]);
  await expect.element(page.getByText("anna until it is given back: a backup runs")).toBeVisible();
  expect(page.getByRole("listitem").elements()).toHaveLength(2);
  expect(button(/Give back/).elements()).toHaveLength(1);
  hub.answers(`DELETE /leases/${mine.id}`, noContent);
  await userEvent.click(button("Give back what anna holds"));
  await expect.poll(() => hub.calls.some(({ route }) => route.startsWith("DELETE"))).toBe(true);
});

test("it is held on for a while, or until a time, and what was typed stays when that is refused", async () => {
  const hub = await open([]);
  await userEvent.click(button("Hold on…"));
  await userEvent.selectOptions(page.getByLabelText("Hold it on"), "For 4 hours");
  await userEvent.fill(page.getByLabelText("Why"), "a film");
  hub.answers(HOLD, () => problem("DATABASE_UNAVAILABLE", "The database does not answer", [], 503));
  await userEvent.click(button("Hold on"));
  await expect.element(page.getByRole("alert")).toMatchTextContent("The database does not answer");
  await expect.element(page.getByLabelText("Why")).toHaveValue("a film");
  await userEvent.selectOptions(page.getByLabelText("Hold it on"), "Until…");
  await userEvent.click(button("Hold on"));
  await expect.element(page.getByLabelText("Until", { exact: true })).toHaveAccessibleDescription(/is missing/);
  await userEvent.fill(page.getByLabelText("Until", { exact: true }), "2026-11-21T23:00");
  hub.answers(HOLD, () => json(lease(), 201));
  await userEvent.click(button("Hold on"));
  await expect.element(button("Hold on…")).toBeVisible();
  expect(hub.bodiesOf(HOLD)).toEqual([
    { reason: "a film", forMinutes: 240 },
    { reason: "a film", until: "2026-11-21T22:00:00.000Z" },
  ]);
});

test("nobody is asked where nobody holds it, and whoever may not is offered nothing", async () => {
  const hub = await open([], { mayHold: false });
  await expect.element(page.getByText("Nobody holds it on.")).toBeVisible();
  expect(page.getByRole("button").elements()).toEqual([]);
  expect(hub.calls).toEqual([]);
});
