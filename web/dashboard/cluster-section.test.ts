import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { heard, mounted } from "../fixtures/mounted.ts";
import { ACCOUNT, NOW_MS, agent, cluster, device, me } from "../fixtures/rows.ts";
import { actorOf } from "../live/actor.ts";
import { ClusterSection } from "./cluster-section.ts";

const home = cluster({ name: "Home" });
const clock = () => NOW_MS;
const region = (name = "Home") => page.getByRole("region", { name });
const wakeAll = page.getByRole("button", { name: /Wake all/ });

const show = (properties: Partial<ClusterSection>) =>
  mounted(ClusterSection, { cluster: home, agents: [agent()], actor: actorOf(ACCOUNT), clock, ...properties });

describe("a cluster's section", () => {
  test("has its name, its agents, a card for each device, and counts those that are on", async () => {
    await show({
      devices: [device({ name: "NAS", power: "on" }), device({ name: "Box" }), device({ name: "PC", power: "waking" })],
    });
    await expect.element(region().getByText("1 of 3 on")).toBeVisible();
    await expect
      .element(region().getByRole("list", { name: "Agents" }).getByRole("link", { name: /Pi/ }))
      .toBeVisible();
    expect(region().getByRole("article").elements()).toHaveLength(3);
    await expect.element(region().getByRole("link", { name: "Edit Home" })).toHaveAttribute("href", "/clusters/home");
  });

  test("without a cluster shows what is in none, and cannot be edited", async () => {
    await show({ cluster: undefined, devices: [device()] });
    await expect.element(region("In no cluster")).toBeVisible();
    expect(page.getByRole("link", { name: /Edit/ }).elements()).toEqual([]);
    expect(wakeAll.elements()).toEqual([]);
  });

  test("says that there is nothing in it yet", async () => {
    await show({});
    await expect.element(region().getByText(/No devices are here/)).toBeVisible();
    expect(region().getByText(/of 0/).elements()).toEqual([]);
  });

  test("says what is missing when it has devices and no agent", async () => {
    await show({ agents: [], devices: [device()] });
    await expect.element(region().getByText(/No agent is here/)).toBeVisible();
  });

  test("says nothing of agents when it has no devices", async () => {
    await show({ agents: [] });
    expect(page.getByText(/No agent is here/).elements()).toEqual([]);
  });

  test("hands each card what is known of its device", async () => {
    const [nas, box] = [device({ name: "NAS" }), device({ name: "Box" })];
    await show({
      devices: [nas, box],
      asking: new Set([nas.id]),
      problems: new Map([[box.id, "Every agent is offline"]]),
    });
    await expect.element(page.getByRole("article", { name: "NAS" })).toMatchTextContent("Asking…");
    await expect.element(page.getByRole("article", { name: "Box" })).toMatchTextContent("Every agent is offline");
  });
});

describe("waking all of it", () => {
  const asleep = (name: string, row: Parameters<typeof device>[0] = {}) => device({ name, ...row });

  test.each([
    ["two sleep", [asleep("A"), asleep("B")], true],
    [
      "two sleep, and others are on",
      [asleep("A"), asleep("B", { power: "unknown" }), asleep("C", { power: "on" })],
      true,
    ],
    ["one sleeps", [asleep("A"), asleep("B", { power: "on" })], false],
    ["one sleeps, and one is waking", [asleep("A"), asleep("B", { power: "waking" })], false],
    ["one sleeps, and one is disabled", [asleep("A"), asleep("B", { enabled: false })], false],
    ["one sleeps, and no agent can wake the other", [asleep("A"), asleep("B", { availability: "offline" })], false],
    ["none is there", [], false],
  ])("is offered as it should when %s", async (_what, devices, isOffered) => {
    await show({ devices });
    expect(wakeAll.elements()).toHaveLength(isOffered ? 1 : 0);
  });

  test("is asked for with the cluster", async () => {
    const wakes = heard(await show({ devices: [asleep("A"), asleep("B")] }), "wake-cluster");
    await userEvent.click(wakeAll);
    expect(wakes).toEqual([home]);
  });
});

describe("powering all of it off", () => {
  const on = (name: string, row: Parameters<typeof device>[0] = {}) =>
    device({ name, power: "on", canPowerOff: true, powerActions: ["shutdown"], ...row });
  const powerOffAll = page.getByRole("button", { name: "Power off all of Home" });

  test.each([
    ["two are on", [on("A"), on("B")], true],
    ["one of two has no way down", [on("A"), on("B", { canPowerOff: false })], false],
    ["one of two is going down already", [on("A"), on("B", { power: "stopping" })], false],
  ])("is offered as it should when %s", async (_what, devices, isOffered) => {
    await show({ devices });
    expect(powerOffAll.elements()).toHaveLength(isOffered ? 1 : 0);
  });

  test("is asked for with the cluster, by whoever may", async () => {
    const element = await show({ devices: [on("A"), on("B")] });
    const asked = heard(element, "power-off-cluster");
    await userEvent.click(powerOffAll);
    expect(asked).toEqual([home]);
    element.actor = actorOf(me({ role: "viewer" }));
    await expect.poll(() => page.getByRole("button").elements()).toEqual([]);
  });
});

describe("to whoever may not do everything", () => {
  const anna = me({ role: "user" });
  const [one, two] = [device({ name: "One" }), device({ name: "Two" })];
  const button = page.getByRole("button");

  test("a viewer's section has devices, and nothing to press and no word of agents", async () => {
    await show({ actor: actorOf(me({ role: "viewer" })), agents: [], devices: [one, two] });
    expect(region().getByRole("article").elements()).toHaveLength(2);
    expect(button.elements()).toEqual([]);
    expect(page.getByRole("link", { name: /Edit/ }).elements()).toEqual([]);
    expect(page.getByRole("list", { name: "Agents" }).elements()).toEqual([]);
    expect(page.getByText(/agent/i).elements()).toEqual([]);
  });

  test("a user is not told to join an agent, which an admin does", async () => {
    await show({ actor: actorOf(anna), agents: [], devices: [one] });
    await expect.element(page.getByText(/No agent is here: these devices/)).toBeVisible();
    expect(page.getByText(/Join one/).elements()).toEqual([]);
  });

  test("a user may wake one device and not the other, and so not all of them", async () => {
    await show({ actor: actorOf(anna), devices: [{ ...one, ownerId: anna.id }, two] });
    expect(button.elements()).toHaveLength(1);
    await expect.element(button).toHaveAccessibleName("Wake One");
  });

  test("a user may wake all of a cluster that is shared for that, and not change it", async () => {
    const shared = { ...home, shares: [{ userId: anna.id, level: "wake" as const }] };
    await show({ cluster: shared, actor: actorOf(anna), devices: [one, two] });
    await expect.element(wakeAll).toBeVisible();
    expect(page.getByRole("link", { name: /Edit/ }).elements()).toEqual([]);
  });

  test("a user may change a cluster of their own", async () => {
    await show({ cluster: { ...home, ownerId: anna.id }, actor: actorOf(anna), devices: [one] });
    await expect.element(page.getByRole("link", { name: "Edit Home" })).toBeVisible();
  });
});
