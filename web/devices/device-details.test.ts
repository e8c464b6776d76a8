import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import type { Evidence } from "#contracts/power.ts";
import { heard, mounted } from "../fixtures/mounted.ts";
import { ACCOUNT, agent, cluster, device, me, secondsAgo, user } from "../fixtures/rows.ts";
import { type ScriptedHub, json, noContent, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { actorOf } from "../live/actor.ts";
import { LiveStore } from "../live/live-store.ts";
import { DeviceDetails } from "./device-details.ts";

const button = (name: string) => page.getByRole("button", { name, exact: true });
const home = cluster({ name: "Home" });
const pi = agent({ name: "Pi", clusterId: home.id });

async function open(
  row: Parameters<typeof device>[0] = {},
  properties: Partial<DeviceDetails> = {},
  script: (hub: ScriptedHub) => void = () => {},
) {
  const nas = device({ name: "NAS", ...row });
  const hub = scriptedHub();
  hub.answers(`GET /devices/${nas.id}/wakes?limit=5`, () => json({ items: [], next: null, total: 0 }));
  script(hub);
  const store = new LiveStore();
  store.clusters.set(home.id, home);
  store.agents.set(pi.id, pi);
  const element = await mounted(DeviceDetails, { device: nas, store, actor: actorOf(ACCOUNT), ...properties });
  return { hub, nas, element, closed: heard(element, "closed") };
}

const term = (name: string) => page.getByRole("term").filter({ hasText: new RegExp(`^\\s*${name}`) });
const fact = (name: string) => term(name).element().nextElementSibling?.textContent;

describe("a device's details", () => {
  test("tell what is known of it", async () => {
    const by = "pi" as Evidence["by"];
    await open({
      clusterId: home.id,
      agentIds: [pi.id],
      address: "10.0.0.5",
      description: "Photos and music",
      tags: ["storage", "attic"],
      evidence: { by, how: "arp", at: new Date().toISOString() },
    });
    await expect.element(page.getByRole("dialog", { name: "NAS" })).toBeVisible();
    await expect.element(page.getByText("Photos and music")).toBeVisible();
    expect(fact("MAC address")).toBe("02:00:00:00:00:01");
    expect(fact("Address")).toBe("10.0.0.5");
    expect(fact("Cluster")).toBe("Home");
    expect(fact("Agents")).toBe("Pi");
    expect(fact("Tags")).toBe("storage, attic");
    expect(fact("Seen up")).toMatch(/^\d+:\d+.* by pi \(ARP\)$/);
    expect(fact("Key")).toBe("nas");
  });

  test("leave out what is not known", async () => {
    await open();
    for (const name of ["Seen up", "Tags"]) expect(term(name).elements()).toEqual([]);
  });

  test.each([
    ["off", "Wake", "wake"],
    ["unknown", "Wake", "wake"],
    ["on", "Wake anyway", "wake-anyway"],
    ["waking", "Cancel", "cancel-wake"],
  ] as const)("of one that is %s offer “%s”", async (power, label, event) => {
    const { element, nas } = await open({ power });
    const events = heard(element, event);
    await userEvent.click(button(label));
    expect(events).toEqual([nas]);
  });

  test.each([
    ["disabled", { enabled: false }, /Disabled/],
    ["out of reach of every agent", { availability: "offline" }, /No agent is online/],
  ] as const)("of one that is %s offer no wake, and say why", async (_what, row, reason) => {
    await open(row);
    await expect.element(page.getByText(reason)).toBeVisible();
    expect(page.getByRole("button", { name: /^Wake/ }).elements()).toEqual([]);
  });

  test("offer no wake of one that is shutting down", async () => {
    await open({ power: "stopping", since: secondsAgo(3) });
    expect(page.getByRole("button", { name: /^Wake/ }).elements()).toEqual([]);
  });

  test("say why the last request was refused", async () => {
    await open({}, { problem: "Every agent is offline" });
    await expect.element(page.getByRole("alert")).toMatchTextContent("Every agent is offline");
  });

  test("lead to the form, and close by their cross and by Escape", async () => {
    const { element, nas, closed } = await open();
    const edits = heard(element, "edit");
    await userEvent.click(button("Edit"));
    expect(edits).toEqual([nas]);
    await userEvent.click(button("Close"));
    await expect.poll(() => closed.length).toBe(1);
    const again = await open();
    await userEvent.keyboard("{Escape}");
    await expect.poll(() => again.closed.length).toBe(1);
  });
});

describe("deleting a device", () => {
  test("asks first, and closes when it is gone", async () => {
    const { hub, nas, closed } = await open();
    hub.answers(`DELETE /devices/${nas.id}`, noContent);
    await userEvent.click(button("Delete device"));
    await expect.element(page.getByText(/Delete NAS/)).toBeVisible();
    await userEvent.click(button("Keep"));
    await userEvent.click(button("Delete device"));
    await userEvent.click(button("Delete"));
    await expect.poll(() => closed.length).toBe(1);
    expect(hub.calls.filter(({ route }) => route.startsWith("DELETE"))).toHaveLength(1);
  });

  test("that fails says so in the dialog, which stays", async () => {
    const { hub, nas, closed } = await open();
    hub.answers(`DELETE /devices/${nas.id}`, () => problem("FORBIDDEN", "Your role does not allow this", [], 403));
    await userEvent.click(button("Delete device"));
    await userEvent.click(button("Delete"));
    await expect.element(page.getByRole("alert")).toMatchTextContent(/Your role does not allow this/);
    expect(closed).toEqual([]);
  });
});

describe("to whoever may not do everything", () => {
  const viewer = actorOf(me({ role: "viewer" }));
  const ben = actorOf(me({ role: "user" }));

  test("a viewer's details offer nothing, and speak of no agents and no owner", async () => {
    const row = { clusterId: home.id, description: "Photos", availability: "offline" } as const;
    await open(row, { actor: viewer });
    await expect.element(page.getByText("Photos")).toBeVisible();
    expect(fact("Cluster")).toBe("Home");
    for (const name of ["Agents", "Owner"]) expect(term(name).elements()).toEqual([]);
    expect(page.getByText(/agent/i).elements()).toEqual([]);
    expect(page.getByRole("button").elements()).toEqual([button("Close").element()]);
  });

  test("a user may do everything with a device of their own", async () => {
    await open({ ownerId: ben.userId }, { actor: ben });
    for (const name of ["Wake", "Edit", "Delete device"]) await expect.element(button(name)).toBeVisible();
    expect(fact("Owner")).toBe("you");
  });

  test("a user is told whose it is, and with whom it is shared", async () => {
    const [anna, carla] = [user({ username: "anna", fullName: "Anna Li" }), user({ username: "carla" })];
    const vic = user({ username: "vic", role: "viewer" });
    const shares = [
      { userId: carla.id, level: "view" as const },
      { userId: vic.id, level: "wake" as const },
      { userId: ben.userId, level: "wake" as const },
    ];
    await open({ ownerId: anna.id, shares }, { actor: ben }, (hub) =>
      hub.answers("GET /users?limit=200", () => json({ items: [anna, carla, vic], next: null, total: 3 })),
    );
    await expect.poll(() => fact("Owner")).toBe("Anna Li");
    expect(fact("Shared with")).toBe("you (may wake it), carla, and vic");
  });

  test("nobody is asked for names where there are none to tell", async () => {
    const { hub } = await open({ ownerId: ben.userId }, { actor: ben });
    await expect.element(button("Wake")).toBeVisible();
    expect(hub.calls.map(({ route }) => route)).not.toContain("GET /users?limit=200");
    expect(term("Shared with").elements()).toEqual([]);
  });

  test("a user may wake what is shared for that, and not change it", async () => {
    await open({ shares: [{ userId: ben.userId, level: "wake" }] }, { actor: ben });
    await expect.element(button("Wake")).toBeVisible();
    expect(fact("Shared with")).toBe("you (may wake it)");
    for (const name of ["Edit", "Delete device"]) expect(button(name).elements()).toEqual([]);
  });

  test("a user may not wake what is shared to be seen", async () => {
    await open({ shares: [{ userId: ben.userId, level: "view" }] }, { actor: ben });
    await expect.element(page.getByText(/^Off since/)).toBeVisible();
    expect(button("Wake").elements()).toEqual([]);
  });

  test("a user may wake what is in a cluster of theirs", async () => {
    const { element } = await open({ clusterId: home.id }, { actor: ben });
    const store = new LiveStore();
    store.clusters.set(home.id, { ...home, ownerId: ben.userId });
    element.store = store;
    await expect.element(button("Wake")).toBeVisible();
  });
});
