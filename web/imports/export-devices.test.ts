import { expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { heard, mounted } from "../fixtures/mounted.ts";
import { problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { ExportDevices } from "./export-devices.ts";

const dialog = page.getByRole("dialog", { name: "Export devices" });
const exportIt = dialog.getByRole("button", { name: "Export" });

test("asks for a file of the format that is chosen, and closes", async () => {
  const hub = scriptedHub();
  hub.answers("GET /exports/devices?format=ethers", () => new Response("02:00:00:00:00:01 nas\n"));
  const closed = heard(await mounted(ExportDevices), "closed");
  await expect.element(dialog.getByLabelText("CSV")).toBeChecked();
  await userEvent.click(dialog.getByLabelText("/etc/ethers"));
  await userEvent.click(exportIt);
  await expect.poll(() => closed).toHaveLength(1);
  expect(hub.calls.map(({ route }) => route)).toEqual(["GET /exports/devices?format=ethers"]);
});

test("stays open when there is no file, and says why", async () => {
  const hub = scriptedHub();
  hub.answers("GET /exports/devices?format=csv", () => problem("FORBIDDEN", "Your role does not allow that", [], 403));
  const closed = heard(await mounted(ExportDevices), "closed");
  await userEvent.click(exportIt);
  await expect.element(dialog.getByText("Your role does not allow that")).toBeVisible();
  expect(closed).toEqual([]);
});
