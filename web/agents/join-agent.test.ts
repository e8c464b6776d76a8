import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { heard, mounted } from "../fixtures/mounted.ts";
import { NOW_MS, agent, cluster, freshId, secondsAgo } from "../fixtures/rows.ts";
import { json, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { JoinAgent } from "./join-agent.ts";

const COMMAND = "npm run agent -- join http://hub:8080 pbj_secret";
const ENROLMENT = {
  id: freshId(),
  clusterId: null,
  usesLeft: 1,
  expiresAt: secondsAgo(-3_600),
  createdBy: "admin",
  createdAt: secondsAgo(0),
  code: "pbj_secret",
  command: COMMAND,
};

const home = cluster({ name: "Home" });
const old = agent({ name: "Old" });
const dialog = page.getByRole("dialog", { name: "Join an agent" });
const makeCode = page.getByRole("button", { name: "Make a join code" });

async function openDialog() {
  const hub = scriptedHub();
  hub.answers("POST /enrolments", () => json(ENROLMENT, 201));
  const element = await mounted(JoinAgent, {
    agents: [old],
    clusters: new Map([[home.id, home]]),
    clock: () => NOW_MS,
  });
  return { hub, element, closed: heard(element, "closed") };
}

describe("joining an agent", () => {
  test("asks for a code for the cluster that is chosen, and shows the command to paste", async () => {
    const { hub } = await openDialog();
    await userEvent.selectOptions(dialog.getByLabelText("Cluster"), "Home");
    await userEvent.click(makeCode);
    await expect.element(dialog.getByText(COMMAND, { exact: true })).toBeVisible();
    await expect.element(dialog.getByText(/works once, until 14:00/)).toBeVisible();
    expect(hub.bodiesOf("POST /enrolments")).toEqual([{ clusterId: home.id }]);
  });

  test("proposes the only cluster, as a new device does", async () => {
    await openDialog();
    await expect.element(dialog.getByLabelText("Cluster")).toHaveValue(home.id);
  });

  test("may be without a cluster", async () => {
    const { hub } = await openDialog();
    await userEvent.selectOptions(dialog.getByLabelText("Cluster"), "None");
    await userEvent.click(makeCode);
    await expect.element(dialog.getByText(COMMAND, { exact: true })).toBeVisible();
    expect(hub.bodiesOf("POST /enrolments")).toEqual([{ clusterId: null }]);
  });

  test("says why there is no code, and lets one try again", async () => {
    const { hub } = await openDialog();
    hub.answers("POST /enrolments", () => problem("DATABASE_UNAVAILABLE", "The database does not answer", [], 503));
    await userEvent.click(makeCode);
    await expect.element(page.getByRole("alert")).toMatchTextContent("The database does not answer");
    hub.answers("POST /enrolments", () => json(ENROLMENT, 201));
    await userEvent.click(makeCode);
    await expect.element(dialog.getByText(COMMAND, { exact: true })).toBeVisible();
  });

  test("waits for the agent, shows it by itself when it comes, and says when it is online", async () => {
    const { element, closed } = await openDialog();
    await userEvent.click(makeCode);
    const status = dialog.getByRole("status").filter({ hasText: /agent|joined/i });
    await expect.element(status).toMatchTextContent(/Waiting for the agent/);
    const fresh = agent({ name: "Attic Pi", status: "offline" });
    element.agents = [old, fresh];
    await expect.element(status).toMatchTextContent(/Attic Pi has joined; now run it/);
    element.agents = [old, { ...fresh, status: "online" }];
    await expect.element(status).toMatchTextContent(/Attic Pi has joined and is online/);
    await expect.element(status).not.toMatchTextContent(/Old|Waiting/);
    await userEvent.click(page.getByRole("button", { name: "Done" }));
    await expect.poll(() => closed.length).toBe(1);
  });

  test("is left by Escape before there is a code, and after", async () => {
    const { closed } = await openDialog();
    await userEvent.keyboard("{Escape}");
    await expect.poll(() => closed.length).toBe(1);
    const again = await openDialog();
    await userEvent.click(makeCode);
    await expect.element(dialog.getByText(COMMAND, { exact: true })).toBeVisible();
    await userEvent.keyboard("{Escape}");
    await expect.poll(() => again.closed.length).toBe(1);
  });
});

test("the cluster that was chosen stays chosen when another comes meanwhile", async () => {
  const { hub, element } = await openDialog();
  await userEvent.selectOptions(dialog.getByLabelText("Cluster"), "Home");
  const attic = cluster({ name: "Attic" });
  element.clusters = new Map([home, attic].map((row) => [row.id, row]));
  await element.updateComplete;
  await userEvent.click(makeCode);
  await expect.element(dialog.getByText(COMMAND, { exact: true })).toBeVisible();
  expect(hub.bodiesOf("POST /enrolments")).toEqual([{ clusterId: home.id }]);
});
