import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import type { WakeAnswer } from "#contracts/api/wakes.ts";
import type { LastWake } from "#contracts/power.ts";
import { mounted } from "../fixtures/mounted.ts";
import { NOW_MS, device, freshId, secondsAgo } from "../fixtures/rows.ts";
import { json, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { WakeHistory } from "./wake-history.ts";

type Key = LastWake["agents"][number];
const pi = "pi" as Key;
const nas = device();
const ROUTE = `GET /devices/${nas.id}/wakes?limit=5`;

function wake(stages: WakeAnswer["stages"]): WakeAnswer {
  return {
    id: freshId(),
    device: "nas" as Key,
    deviceId: nas.id,
    stage: stages.at(-1)?.stage ?? "accepted",
    requestedAt: secondsAgo(60),
    requestedBy: "anna",
    finishedAt: null,
    seconds: null,
    evidence: null,
    stages,
  };
}

const accepted = { stage: "accepted", at: secondsAgo(60), agents: [pi] } as const;
const WOKEN = wake([
  { ...accepted, agents: [pi] },
  {
    stage: "sent",
    at: secondsAgo(59.5),
    agent: pi,
    packets: 3,
    destinations: [
      { address: "192.168.1.255", port: 9, interface: "eth0", error: null },
      { address: "255.255.255.255", port: 9, interface: null, error: "network is unreachable" },
    ],
  },
  { stage: "awake", at: secondsAgo(52), seconds: 8, evidence: { by: pi, how: "tcp", at: secondsAgo(52) } },
]);
const SILENT = wake([
  { ...accepted, agents: [pi] },
  {
    stage: "no-answer",
    at: secondsAgo(30),
    seconds: 30,
    resent: 1,
    agents: [{ agent: "attic" as Key, code: "NO_RECEIPT", reason: "Said nothing" }],
    findings: [],
  },
]);

const list = (...items: WakeAnswer[]) => json({ items, next: null, total: items.length });
const clock = () => NOW_MS;

describe("the last wakes of a device", () => {
  test("are told by how they ended, when, and who asked", async () => {
    scriptedHub().answers(ROUTE, () => list(WOKEN, SILENT));
    await mounted(WakeHistory, { deviceId: nas.id, clock });
    await expect.element(page.getByText(/Awake after 8 s, seen by pi/).first()).toBeVisible();
    await expect.element(page.getByText(/No answer after 30 s/).first()).toBeVisible();
    expect(page.getByText("12:59 · anna").elements()).toHaveLength(2);
  });

  test("tell each step, and why an agent could not do its part", async () => {
    scriptedHub().answers(ROUTE, () => list(SILENT));
    await mounted(WakeHistory, { deviceId: nas.id, clock });
    await userEvent.click(page.getByText(/No answer after 30 s/).first());
    const steps = page.getByRole("listitem");
    await expect.element(steps.first()).toMatchTextContent(/Asked pi/);
    await expect.element(steps.last()).toMatchTextContent(/attic: Said nothing/);
  });

  test("tell where magic packets went, and why they did not", async () => {
    scriptedHub().answers(ROUTE, () => list(WOKEN));
    await mounted(WakeHistory, { deviceId: nas.id, clock });
    await userEvent.click(page.getByText(/Awake after 8 s/).first());
    await expect.element(page.getByText("to 192.168.1.255 port 9 by eth0")).toBeVisible();
    await expect.element(page.getByText("to 255.255.255.255 port 9: network is unreachable")).toBeVisible();
  });

  test("are none yet", async () => {
    scriptedHub().answers(ROUTE, () => list());
    await mounted(WakeHistory, { deviceId: nas.id, clock });
    await expect.element(page.getByText(/not woken yet/)).toBeVisible();
  });

  test("are read anew when a wake ends", async () => {
    const hub = scriptedHub();
    hub.answers(ROUTE, () => list());
    const element = await mounted(WakeHistory, { deviceId: nas.id, clock });
    await expect.element(page.getByText(/not woken yet/)).toBeVisible();
    hub.answers(ROUTE, () => list(WOKEN));
    element.lastWake = { at: secondsAgo(60), outcome: "awake", seconds: 8, agents: [pi], by: "anna" };
    await expect.element(page.getByText(/Awake after 8 s/).first()).toBeVisible();
    expect(hub.calls).toHaveLength(2);
  });

  test("that cannot be read are said to be so, and come when they can", async () => {
    const hub = scriptedHub();
    hub.answers(ROUTE, () => problem("DATABASE_UNAVAILABLE", "The database does not answer", [], 503));
    const element = await mounted(WakeHistory, { deviceId: nas.id, clock });
    await expect.element(page.getByText(/The database does not answer/)).toBeVisible();
    hub.answers(ROUTE, () => list(WOKEN));
    element.lastWake = { at: secondsAgo(60), outcome: "awake", seconds: 8, agents: [pi], by: "anna" };
    await expect.element(page.getByText(/Awake after 8 s/).first()).toBeVisible();
  });
});
