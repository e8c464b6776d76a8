import { describe, expect, onTestFinished, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import type { ScheduleAnswer } from "#contracts/api/schedules.ts";
import { loggedInAs } from "../fixtures/logged-in.ts";
import { mounted } from "../fixtures/mounted.ts";
import { schedule, scheduleRun } from "../fixtures/power-rows.ts";
import { ACCOUNT, HUB_INFO, cluster, device, me, secondsAgo } from "../fixtures/rows.ts";
import { json, noContent, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { scriptedStreams } from "../fixtures/scripted-stream.ts";
import { live } from "../live/live.ts";
import { SchedulesPage } from "./schedules-page.ts";

const home = cluster({ name: "Home" });
const nas = device({ name: "NAS", clusterId: home.id });
const box = device({ name: "Box" });
const LIST = "GET /schedules?limit=200";
const button = (name: string | RegExp) => page.getByRole("button", { name });
const card = (name: string) => page.getByRole("article", { name });
const field = (label: string) => page.getByLabelText(label, { exact: true });
const explanation = (words: string) => ({ at: secondsAgo(-60), local: "", skipped: false, explanation: words });

async function open(schedules: ScheduleAnswer[], account = ACCOUNT) {
  loggedInAs(account);
  const hub = scriptedHub();
  const [streams, show] = [
    scriptedStreams(),
    (items: ScheduleAnswer[]) => hub.answers(LIST, () => json({ items, next: null, total: items.length })),
  ];
  show(schedules);
  hub.answers("POST /schedules/preview", () => json({ firings: [explanation("Monday, 07:30 in Berlin")] }));
  hub.answers("POST /schedules", () => json(schedule(), 201));
  live.start();
  onTestFinished(() => live.forget());
  await mounted(SchedulesPage);
  const at = new Date().toISOString();
  streams[0]?.send({
    event: "snapshot",
    data: { at, devices: [nas, box], clusters: [home], agents: [], hub: HUB_INFO },
  });
  return { hub, show, stream: streams[0] };
}

describe("the schedules", () => {
  test("say what each does, when, what comes next and what became of the last", async () => {
    await open([
      schedule({ clusterIds: [home.id], deviceIds: [box.id], lastRun: scheduleRun() }),
      schedule({
        name: "Night",
        action: "off",
        deviceIds: [nas.id],
        skipNext: true,
        lastRun: scheduleRun({ outcome: "skipped", because: "NAS is held on by ben" }),
      }),
      schedule({ name: "Over", when: { type: "once", at: secondsAgo(60) }, nextAt: null }),
    ]);
    await expect
      .element(card("Working hours").getByText("Wake all of Home and Box · Monday to Friday at 07:30"))
      .toBeVisible();
    await expect.element(card("Working hours")).toMatchTextContent(/NAS is waking/);
    await expect.element(card("Night")).toMatchTextContent(/which is left out.*Left out: NAS is held on by ben/s);
    await expect.element(card("Over")).toMatchTextContent(/It will not fire any more/);
  });

  test("are switched, left out once, and read anew when something changes", async () => {
    const row = schedule({ deviceIds: [nas.id] });
    const { hub, show, stream } = await open([row]);
    hub.answers(`PATCH /schedules/${row.id}`, () => problem("FORBIDDEN", "This is somebody else's", [], 403));
    await userEvent.click(page.getByRole("switch", { name: /Working hours/ }));
    await expect.element(card("Working hours").getByRole("alert")).toMatchTextContent("This is somebody else's");
    await expect.element(page.getByRole("switch", { name: /Working hours/ })).toBeChecked();
    hub.answers(`POST /schedules/${row.id}/skip`, () => json({ ...row, skipNext: true }));
    await userEvent.click(button("Leave the next out"));
    await expect.poll(() => hub.bodiesOf(`POST /schedules/${row.id}/skip`)).toEqual([{ skip: true }]);
    show([{ ...row, enabled: false, nextAt: null }]);
    stream?.send({ event: "schedules", data: { at: secondsAgo(0) } });
    await expect.element(card("Working hours").getByText("Switched off")).toBeVisible();
  });

  test("tell what happened and what comes to whoever unfolds it", async () => {
    const row = schedule({ deviceIds: [nas.id] });
    const { hub } = await open([row]);
    const devices = [{ device: nas.key, stage: "refused", code: "LEASED", reason: "It is held on by ben" }];
    hub.answers(`GET /schedules/${row.id}/runs?limit=10`, () =>
      json({ items: [scheduleRun({ devices })], next: null, total: 1 }),
    );
    hub.answers(`GET /schedules/${row.id}/next`, () => json({ firings: [explanation("Monday, 07:30 in Berlin")] }));
    await expect.element(card("Working hours")).toBeVisible();
    expect(hub.calls.map(({ route }) => route)).toEqual([LIST, LIST]);
    await userEvent.click(page.getByText("What happened, and what comes"));
    await expect.element(page.getByText("nas: It is held on by ben")).toBeVisible();
    await expect.element(page.getByText("Monday, 07:30 in Berlin")).toBeVisible();
  });

  test("offer nothing to a viewer, and say that there is none", async () => {
    await open([schedule()], me({ role: "viewer" }));
    await expect.element(card("Working hours")).toBeVisible();
    for (const role of ["switch", "button"] as const)
      expect(card("Working hours").getByRole(role).elements()).toEqual([]);
    expect(button("Add").elements()).toEqual([]);
  });
});

describe("the form of a schedule", () => {
  test("takes a time on days of the week, and says while it is typed when that is", async () => {
    const { hub } = await open([]);
    await userEvent.click(button("Add"));
    await expect.element(page.getByText("Monday, 07:30 in Berlin")).toBeVisible();
    await userEvent.fill(field("Name"), "Weekend");
    await userEvent.click(field("Home"));
    for (const day of ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]) await userEvent.click(field(day));
    await userEvent.fill(field("Time"), "09:15");
    const when = { type: "cron", cron: "15 9 * * 6", timeZone: "Europe/Berlin" };
    await expect.poll(() => hub.bodiesOf("POST /schedules/preview").at(-1)).toEqual({ when, jitterSeconds: 0 });
    await userEvent.click(button("Add schedule"));
    await expect
      .poll(() => hub.bodiesOf("POST /schedules"))
      .toMatchObject([{ name: "Weekend", action: "wake", clusterIds: [home.id], deviceIds: [], when }]);
  });

  test("takes the sun, a cron expression or one instant, and says at its field what is wrong", async () => {
    const { hub } = await open([]);
    await userEvent.click(button("Add"));
    await userEvent.selectOptions(field("When"), "By the sun");
    await userEvent.fill(field("Latitude"), "52.5");
    await userEvent.fill(field("Longitude"), "13.4");
    await userEvent.fill(field("Minutes later"), "-15");
    const place = { latitude: 52.5, longitude: 13.4 };
    const sun = { type: "sun", event: "sunset", offsetMinutes: -15, place, timeZone: "Europe/Berlin" };
    await expect.poll(() => hub.bodiesOf("POST /schedules/preview").at(-1)).toMatchObject({ when: sun });
    await userEvent.selectOptions(field("When"), "By a cron expression");
    await userEvent.fill(field("Cron expression"), "soon");
    const message = "needs five fields";
    hub.answers("POST /schedules/preview", () =>
      problem("INVALID_INPUT", "Wrong", [{ path: "when.cron", message }], 422),
    );
    hub.answers("POST /schedules", () => problem("INVALID_INPUT", "Wrong", [{ path: "when.cron", message }], 422));
    await userEvent.click(button("Add schedule"));
    await expect.element(field("Cron expression")).toHaveAccessibleDescription(/needs five fields/);
    await expect.element(field("Cron expression")).toHaveValue("soon");
    await userEvent.selectOptions(field("When"), "Once");
    await userEvent.fill(page.getByLabelText("When", { exact: true }).last(), "2026-11-24T06:00");
    hub.answers("POST /schedules", () => json(schedule(), 201));
    await userEvent.click(button("Add schedule"));
    await expect
      .poll(() => hub.bodiesOf("POST /schedules").at(-1))
      .toMatchObject({ when: { type: "once", at: "2026-11-24T05:00:00.000Z" } });
  });

  test("offers what the account may do this with, keeps what it may not choose, and sends what changed alone", async () => {
    const anna = me({ role: "user" });
    const row = schedule({ deviceIds: [box.id, nas.id].toSorted(), ownerId: anna.id });
    const { hub, stream } = await open([row], anna);
    stream?.send({ event: "device", data: { ...nas, ownerId: anna.id } });
    hub.answers(`PATCH /schedules/${row.id}`, () => json(row));
    await userEvent.click(button("Edit Working hours"));
    await expect.element(page.getByRole("checkbox", { name: "NAS" })).toBeChecked();
    expect(page.getByRole("checkbox", { name: "Box" }).elements()).toEqual([]);
    await userEvent.fill(field("Time"), "08:00");
    await userEvent.click(button("Save"));
    const when = { type: "cron", cron: "0 8 * * 1,2,3,4,5", timeZone: "Europe/Berlin" };
    await expect.poll(() => hub.bodiesOf(`PATCH /schedules/${row.id}`)).toEqual([{ when }]);
  });

  test("deletes it after a question", async () => {
    const row = schedule({ deviceIds: [nas.id] });
    const { hub, show } = await open([row]);
    hub.answers(`DELETE /schedules/${row.id}`, () => {
      show([]);
      return noContent();
    });
    await userEvent.click(button("Edit Working hours"));
    await userEvent.click(button("Delete schedule"));
    await userEvent.click(button("Delete"));
    await expect.poll(() => card("Working hours").elements()).toEqual([]);
  });
});
