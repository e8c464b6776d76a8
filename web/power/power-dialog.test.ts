import { expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import type { PowerOffStageRecord } from "#contracts/power-off.ts";
import { heard, mounted } from "../fixtures/mounted.ts";
import { plan } from "../fixtures/power-rows.ts";
import { device, freshId, secondsAgo } from "../fixtures/rows.ts";
import { json, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { ScriptedStream } from "../fixtures/scripted-stream.ts";
import { LiveStore } from "../live/live-store.ts";
import { PowerDialog } from "./power-dialog.ts";

const nas = device({ name: "NAS", power: "on", canPowerOff: true, powerActions: ["shutdown", "reboot"] });
const ROUTE = `POST /devices/${nas.id}/power`;
const button = (name: string) => page.getByRole("button", { name, exact: true });
const powerOff = freshId();
const at = secondsAgo(0);

async function open(row: Parameters<typeof device>[0] = {}, refused?: Parameters<typeof plan>[1]) {
  const shown = { ...nas, ...row } as typeof nas;
  const hub = scriptedHub();
  hub.answers(`GET /devices/${nas.id}/plan?action=off&force=false`, () =>
    json(plan([shown], { action: "off", ...refused })),
  );
  const accepted = { powerOff, wake: null, device: "nas", action: "shutdown", stage: "accepted" };
  hub.answers(ROUTE, () => json(accepted, 202));
  const stream = new ScriptedStream();
  const store = new LiveStore({ open: () => stream.source });
  store.start();
  const element = await mounted(PowerDialog, { device: shown, store });
  const closed = heard(element, "closed");
  const tell = (record: PowerOffStageRecord) =>
    stream.send({ event: "power-off", data: { ...record, powerOff, deviceId: nas.id } });
  return { hub, element, store, tell, closed, sent: () => hub.bodiesOf(ROUTE) };
}

test("it goes down in the way that was chosen, and the dialog goes when the machine has taken it", async () => {
  const { tell, closed, sent } = await open();
  await expect.element(page.getByText(/has 30 s to say “not now”/)).toBeVisible();
  await userEvent.click(page.getByRole("radio", { name: /^Reboot/ }));
  await userEvent.click(button("Reboot"));
  await expect.element(page.getByText(/You may close this/)).toBeVisible();
  expect(sent()).toEqual([{ action: "reboot", force: false }]);
  tell({ stage: "sent", at });
  expect(closed).toEqual([]);
  tell({ stage: "acknowledged", at });
  await expect.poll(() => closed.length).toBe(1);
});

test("what the hub refuses is done anyway after a second question, by two buttons that no double click presses", async () => {
  const { hub, sent, tell, closed } = await open();
  hub.answers(ROUTE, () => problem("LEASED", "It is held on by ben"));
  await userEvent.click(button("Shut down"));
  await expect.element(page.getByRole("alert")).toMatchTextContent("It is held on by ben");
  hub.answers(ROUTE, () => json({ powerOff, wake: null, device: "nas", action: "shutdown", stage: "accepted" }, 202));
  await userEvent.dblClick(button("Do it anyway"));
  await expect.element(button("Shut down anyway")).toBeVisible();
  expect(sent()).toHaveLength(1);
  await userEvent.click(button("Shut down anyway"));
  await expect.poll(sent).toEqual([
    { action: "shutdown", force: false },
    { action: "shutdown", force: true },
  ]);
  tell({ stage: "acknowledged", at });
  await expect.poll(() => closed.length).toBe(1);
});

test("what cannot be overruled is said, keeps the choice, and may be tried again", async () => {
  const { hub, sent } = await open();
  hub.answers(ROUTE, () => problem("NO_POWER_WAY", "The agent on it is offline", [], 409));
  await userEvent.click(page.getByRole("radio", { name: /^Reboot/ }));
  await userEvent.click(button("Reboot"));
  await expect.element(page.getByRole("alert")).toMatchTextContent("The agent on it is offline");
  expect(button("Do it anyway").elements()).toEqual([]);
  await userEvent.click(button("Reboot"));
  await expect.poll(() => sent().length).toBe(2);
});

test("what the machine itself says against it is asked about, even when it is faster than the hub's answer", async () => {
  const { hub, tell } = await open();
  const answer = hub.holds(ROUTE);
  await userEvent.click(button("Shut down"));
  tell({ stage: "failed", at, code: "INHIBITED", reason: "A backup runs" });
  answer(json({ powerOff, wake: null, device: "nas", action: "shutdown", stage: "accepted" }, 202));
  await expect.element(page.getByRole("alert")).toMatchTextContent("A backup runs");
  await expect.element(button("Do it anyway")).toBeVisible();
});

test("a failure that nobody may overrule is said, and there is nothing to press but Close", async () => {
  const { tell } = await open();
  await userEvent.click(button("Shut down"));
  await expect.element(page.getByText(/You may close this/)).toBeVisible();
  tell({ stage: "failed", at, code: "EXPIRED", reason: "The machine did not answer" });
  await expect.element(page.getByRole("alert")).toMatchTextContent("The machine did not answer");
  expect(page.getByRole("button").elements()).toHaveLength(2);
});

test("says before it is asked what would stand in the way, once", async () => {
  await open({ leases: 1 }, { refused: { NAS: { code: "LEASED", reason: "It is held on by ben" } } });
  await expect.element(page.getByText("It is held on by ben")).toBeVisible();
  expect(page.getByText(/held on/).elements()).toHaveLength(1);
});

test("offers nothing of what cannot be done, and says why", async () => {
  await open({ powerActions: [], whyNoPowerOff: "The agent on it is offline" });
  await expect.element(page.getByText("The agent on it is offline")).toBeVisible();
  expect(page.getByRole("radio").elements()).toEqual([]);
  expect(button("Shut down").elements()).toEqual([]);
});
