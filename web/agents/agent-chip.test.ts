import { expect, test } from "vitest";
import { page } from "vitest/browser";
import { mounted } from "../fixtures/mounted.ts";
import { NOW_MS, agent, secondsAgo } from "../fixtures/rows.ts";
import { AgentChip } from "./agent-chip.ts";

test.each([
  ["online", { status: "online" }, /Pi\s+online$/],
  ["offline, and since when", { status: "offline", statusSince: secondsAgo(60) }, /Pi\s+offline since 12:59$/],
  ["offline, where nobody knows since when", { status: "offline", statusSince: null }, /Pi\s+offline$/],
] as const)("an agent says that it is %s, and leads to its details", async (_what, row, words) => {
  await mounted(AgentChip, { agent: agent(row), clock: () => NOW_MS });
  const link = page.getByRole("link", { name: words });
  await expect.element(link).toBeVisible();
  await expect.element(link).toHaveAttribute("href", "/agents/pi");
});

test("an agent is not in trouble while the machine that it runs on is off", async () => {
  const chip = await mounted(AgentChip, { agent: agent({ status: "offline" }), machine: { power: "off" } });
  const presence = page.getByText(/off with its machine$/);
  await expect.element(presence).toBeVisible();
  chip.machine = { power: "on" };
  await expect.element(page.getByText(/offline since/)).toBeVisible();
});
