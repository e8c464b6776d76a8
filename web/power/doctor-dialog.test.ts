import { expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { mounted } from "../fixtures/mounted.ts";
import { finding, report } from "../fixtures/power-rows.ts";
import { device } from "../fixtures/rows.ts";
import { json, scriptedHub } from "../fixtures/scripted-hub.ts";
import { DoctorDialog } from "./doctor-dialog.ts";

const nas = device({ name: "NAS" });
const ROUTE = `GET /devices/${nas.id}/doctor`;

test("the doctor says whether it would wake, why not, and what to do; its evidence is folded", async () => {
  const hub = scriptedHub();
  const findings = [
    finding({ advice: "Run `ethtool -s eth0 wol g`" }),
    finding({ severity: "hint", title: "Never woken" }),
  ];
  hub.answers(ROUTE, () => json(report({ verdict: "cannot-work", summary: "It cannot wake like this", findings })));
  await mounted(DoctorDialog, { device: nas });
  await expect.element(page.getByRole("status")).toMatchTextContent("It cannot wake like this");
  const [first] = page.getByRole("listitem").elements();
  expect(first?.textContent).toMatch(/Problem:[\s\S]*not set to wake it/);
  expect(first?.querySelector("code")?.textContent).toBe("ethtool -s eth0 wol g");
  const fact = page.getByText("eth0", { exact: true }).first();
  await expect.element(fact).not.toBeVisible();
  await userEvent.click(page.getByText("What this rests on").first());
  await expect.element(fact).toBeVisible();
  await expect.element(page.getByText("no", { exact: true }).first()).toBeVisible();
});

test("is asked again once things were mended", async () => {
  const hub = scriptedHub();
  hub.answers(ROUTE, () => json(report({ verdict: "cannot-work", summary: "It cannot wake like this" })));
  await mounted(DoctorDialog, { device: nas });
  await expect.element(page.getByText("It cannot wake like this")).toBeVisible();
  hub.answers(ROUTE, () => json(report()));
  await userEvent.click(page.getByRole("button", { name: "Check again" }));
  await expect.element(page.getByRole("status")).toMatchTextContent("Everything is as it has to be");
});
