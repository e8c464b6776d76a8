import { describe, expect, onTestFinished, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { loggedInAs } from "../fixtures/logged-in.ts";
import { heard, mounted } from "../fixtures/mounted.ts";
import { plan } from "../fixtures/power-rows.ts";
import { ACCOUNT, HUB_INFO, agent, cluster, device, freshId, me } from "../fixtures/rows.ts";
import { json, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { type ScriptedStream, scriptedStreams } from "../fixtures/scripted-stream.ts";
import { live } from "../live/live.ts";
import { DashboardPage } from "./dashboard-page.ts";

const home = cluster({ name: "Home" });
const pi = agent({ name: "Pi", clusterId: home.id });
const nas = device({ name: "NAS", clusterId: home.id });
const box = device({ name: "Box 2", clusterId: home.id });
const box10 = device({ name: "Box 10", clusterId: home.id });

const button = (name: string) => page.getByRole("button", { name, exact: true });
const card = (name: string) => page.getByRole("article", { name });

interface Rows {
  readonly devices?: (typeof nas)[];
  readonly clusters?: (typeof home)[];
  readonly agents?: (typeof pi)[];
}

/** A dashboard whose live stream is open. */
async function openDashboard(properties: Partial<DashboardPage> = {}, account = ACCOUNT) {
  loggedInAs(account);
  const hub = scriptedHub();
  const streams = scriptedStreams();
  live.start();
  onTestFinished(() => live.forget());
  const element = await mounted(DashboardPage, properties);
  const [stream] = streams;
  if (!stream) throw new Error("the page opened no stream");
  return { hub, element, stream, toasts: heard(globalThis, "toast") };
}

function show(stream: ScriptedStream, { devices = [], clusters = [], agents = [] }: Rows): void {
  const at = new Date().toISOString();
  stream.send({ event: "snapshot", data: { at, devices, clusters, agents, hub: HUB_INFO } });
}

describe("the dashboard", () => {
  test("says that it waits until the hub was heard, and claims nothing before", async () => {
    const { stream } = await openDashboard();
    await expect.element(page.getByText("Loading…")).toBeVisible();
    stream.isRefused();
    await expect.element(page.getByText(/connection to the hub/)).toBeVisible();
    expect(page.getByText(/No devices yet/).elements()).toEqual([]);
    expect(button("Add a device").elements()).toEqual([]);
  });

  test("of a new hub shows what comes first, until there is an agent and a device", async () => {
    const { stream } = await openDashboard();
    show(stream, {});
    await expect.element(page.getByRole("heading", { name: "No devices yet" })).toBeVisible();
    await expect.element(button("Join an agent")).toBeVisible();
    stream.send({ event: "agent", data: { ...pi, clusterId: null } });
    stream.send({ event: "device", data: { ...nas, clusterId: null } });
    await expect.element(card("NAS")).toBeVisible();
    expect(button("Join an agent").elements()).toEqual([]);
  });

  test("shows each cluster with its own, by name as people count, and at the end what is in none", async () => {
    const { stream } = await openDashboard();
    const attic = cluster({ name: "attic" });
    const loose = device({ name: "Loose" });
    show(stream, { devices: [box10, loose, nas, box], clusters: [home, attic], agents: [pi] });
    await expect.element(page.getByRole("heading", { name: "0 of 4 on" })).toBeVisible();
    const regions = page.getByRole("region").elements();
    const headings = page.getByRole("heading", { level: 2 }).elements();
    expect(headings.map(({ textContent }) => textContent)).toEqual(["attic", "Home", "In no cluster"]);
    expect(regions).toHaveLength(3);
    const names = page.getByRole("region", { name: "Home" }).getByRole("heading", { level: 3 }).elements();
    expect(names.map(({ textContent }) => textContent)).toEqual(["Box 2", "Box 10", "NAS"]);
  });

  test("counts what is on, what is waking and which agents are online, as it changes", async () => {
    const { stream } = await openDashboard();
    show(stream, { devices: [nas, box], clusters: [home], agents: [pi, agent({ name: "Old", status: "offline" })] });
    await expect.element(page.getByText("1 of 2 agents online")).toBeVisible();
    stream.send({ event: "device", data: { ...nas, power: "on" } });
    stream.send({ event: "device", data: { ...box, power: "waking" } });
    await expect.element(page.getByRole("heading", { name: "1 of 2 on" })).toBeVisible();
    await expect.element(page.getByText("1 waking")).toBeVisible();
  });

  test("keeps a card in its place on the page when others come and go", async () => {
    const { stream } = await openDashboard();
    show(stream, { devices: [nas], clusters: [home], agents: [pi] });
    await expect.element(card("NAS")).toBeVisible();
    const before = card("NAS").element();
    stream.send({ event: "device", data: box });
    await expect.element(card("Box 2")).toBeVisible();
    expect(card("NAS").element()).toBe(before);
    stream.send({ event: "removed", data: { kind: "device", id: box.id } });
    await expect.poll(() => card("Box 2").elements()).toEqual([]);
    expect(card("NAS").element()).toBe(before);
  });

  test("says when the connection is lost and when it is back", async () => {
    const { stream } = await openDashboard();
    show(stream, { devices: [nas], clusters: [home], agents: [pi] });
    stream.breaks();
    stream.breaks();
    await expect.element(page.getByText(/connection to the hub is lost/)).toBeVisible();
    await expect.element(card("NAS")).toBeVisible();
    stream.opens();
    await expect.poll(() => page.getByText(/connection to the hub is lost/).elements()).toEqual([]);
  });

  test("says when the hub's database does not answer", async () => {
    const { stream } = await openDashboard();
    show(stream, { devices: [nas], clusters: [home], agents: [pi] });
    stream.send({ event: "hub", data: { ...HUB_INFO, database: "unavailable" } });
    await expect.element(page.getByText(/database does not answer/)).toBeVisible();
  });
});

describe("a wake from the dashboard", () => {
  const rows: Rows = { devices: [nas, box], clusters: [home], agents: [pi] };
  const accepted = (stage: string, reason?: string) => ({ wake: freshId(), device: "nas", stage, agents: [], reason });

  test("is asked of the hub once, and the button says so meanwhile", async () => {
    const { hub, stream } = await openDashboard();
    show(stream, rows);
    const answer = hub.holds(`POST /devices/${nas.id}/wake`);
    await userEvent.click(button("Wake NAS"));
    await expect.element(card("NAS").getByRole("button")).toMatchTextContent("Asking…");
    await userEvent.click(card("NAS").getByRole("button"), { force: true });
    expect(hub.bodiesOf(`POST /devices/${nas.id}/wake`)).toEqual([{ force: false }]);
    answer(json(accepted("accepted"), 202));
    await expect.element(card("NAS").getByRole("button")).toMatchTextContent(/^\s*Wake\s*$/);
  });

  test("is asked for once by a double click, too", async () => {
    const { hub, stream } = await openDashboard();
    show(stream, rows);
    const answer = hub.holds(`POST /devices/${nas.id}/wake`);
    await expect.element(button("Wake NAS")).toBeVisible();
    const wake = button("Wake NAS").element() as HTMLButtonElement;
    wake.click();
    wake.click();
    answer(json(accepted("accepted"), 202));
    await expect.element(button("Wake NAS")).toMatchTextContent(/^\s*Wake\s*$/);
    expect(hub.bodiesOf(`POST /devices/${nas.id}/wake`)).toHaveLength(1);
  });

  test("that is refused says why at its card, until something newer is known", async () => {
    const { hub, stream } = await openDashboard();
    show(stream, rows);
    hub.answers(`POST /devices/${nas.id}/wake`, () => problem("ALL_OFFLINE", "Every agent is offline", [], 503));
    await userEvent.click(button("Wake NAS"));
    await expect.element(card("NAS").getByRole("alert")).toMatchTextContent("Every agent is offline");
    expect(card("Box 2").getByRole("alert").elements()).toEqual([]);
    const at = new Date().toISOString();
    stream.send({ event: "wake", data: { wake: freshId(), deviceId: nas.id, stage: "accepted", at, agents: [] } });
    await expect.poll(() => card("NAS").getByRole("alert").elements()).toEqual([]);
  });

  test("of one that is on already says so", async () => {
    const { hub, stream, toasts } = await openDashboard();
    show(stream, rows);
    hub.answers(`POST /devices/${nas.id}/wake`, () => json(accepted("already-on"), 202));
    await userEvent.click(button("Wake NAS"));
    await expect.poll(() => toasts).toMatchObject([{ text: "NAS is on already" }]);
  });

  test("is cancelled by the id that was heard of it", async () => {
    const { hub, stream } = await openDashboard();
    show(stream, { ...rows, devices: [{ ...nas, power: "waking" }] });
    const wake = freshId();
    stream.send({
      event: "wake",
      data: { wake, deviceId: nas.id, stage: "accepted", at: new Date().toISOString(), agents: [] },
    });
    hub.answers(`DELETE /wakes/${wake}`, () => json({}));
    await userEvent.click(button("Cancel the wake of NAS"));
    await expect.poll(() => hub.calls.map(({ route }) => route)).toEqual([`DELETE /wakes/${wake}`]);
  });

  test("is cancelled by its history where the page came later", async () => {
    const { hub, stream } = await openDashboard();
    show(stream, { ...rows, devices: [{ ...nas, power: "waking" }] });
    const wake = freshId();
    hub.answers(`GET /devices/${nas.id}/wakes?limit=1`, () => json({ items: [{ id: wake }], next: null, total: 1 }));
    hub.answers(`DELETE /wakes/${wake}`, () => json({}));
    await userEvent.click(button("Cancel the wake of NAS"));
    await expect.poll(() => hub.calls.at(-1)?.route).toBe(`DELETE /wakes/${wake}`);
  });

  test("of a whole cluster says what became of each", async () => {
    const { hub, stream, toasts } = await openDashboard();
    show(stream, rows);
    const wakes = [
      accepted("accepted"),
      { ...accepted("refused", "Its agent is offline"), device: "box-2", wake: null },
    ];
    hub.answers(`POST /clusters/${home.id}/wake`, () => json({ wakes }, 202));
    hub.answers(`GET /clusters/${home.id}/plan?action=wake&force=false`, () => json(plan([nas, box])));
    await userEvent.click(button("Wake all of Home"));
    await userEvent.click(button("Wake 2 devices"));
    await expect.poll(() => toasts).toMatchObject([{ text: expect.stringMatching(/Home.*waking 1.*refused 1/) }]);
    await expect.element(card("Box 2").getByRole("alert")).toMatchTextContent("Its agent is offline");
  });
});

test("a wake of a cluster says how many are not the account's to wake, and marks none of them", async () => {
  const anna = me({ role: "user" });
  const { hub, stream, toasts } = await openDashboard({}, anna);
  const mine = [nas, box].map((row) => ({ ...row, ownerId: anna.id }));
  show(stream, { devices: [...mine, box10], clusters: [home], agents: [pi] });
  const agents: never[] = [];
  hub.answers(`POST /clusters/${home.id}/wake`, () =>
    json({
      wakes: [
        { wake: freshId(), device: "nas", stage: "accepted", agents },
        { wake: freshId(), device: "box-2", stage: "accepted", agents },
        { wake: null, device: "box-10", stage: "refused", agents, code: "FORBIDDEN", reason: "Not yours" },
      ],
    }),
  );
  hub.answers(`GET /clusters/${home.id}/plan?action=wake&force=false`, () => json(plan(mine)));
  await userEvent.click(button("Wake all of Home"));
  await userEvent.click(button("Wake 2 devices"));
  await expect.poll(() => toasts).toMatchObject([{ text: "Home: waking 2, not yours to wake 1" }]);
  expect(page.getByRole("alert").elements()).toEqual([]);
});

test("a device that needs others which are off is woken after a look at what that means, and at once when they are on", async () => {
  const { hub, stream } = await openDashboard();
  const needing = { ...nas, dependsOn: [{ deviceId: box.id, ready: { type: "on" as const } }] };
  show(stream, { devices: [needing, box], clusters: [home], agents: [pi] });
  hub.answers(`GET /devices/${nas.id}/plan?action=wake&force=false`, () =>
    json(plan([box, nas], { after: { NAS: ["box-2"] }, asked: ["NAS"] })),
  );
  await userEvent.click(button("Wake NAS"));
  const dialog = page.getByRole("dialog", { name: "Wake NAS" });
  await expect.element(dialog.getByText("Wakes once Box 2 is up")).toBeVisible();
  await expect.element(dialog.getByText("needed")).toBeVisible();
  await userEvent.keyboard("{Escape}");
  stream.send({ event: "device", data: { ...box, power: "on" } });
  hub.answers(`POST /devices/${nas.id}/wake`, () =>
    json({ wake: freshId(), device: "nas", stage: "accepted", agents: [] }, 202),
  );
  await userEvent.click(button("Wake NAS"));
  await expect.poll(() => hub.bodiesOf(`POST /devices/${nas.id}/wake`)).toEqual([{ force: false }]);
});

describe("a power-off from the dashboard", () => {
  const on: typeof nas = { ...nas, power: "on", canPowerOff: true, powerActions: ["shutdown"] };

  test("is asked for in a dialog, told step by step at its card, and taken back there", async () => {
    const { hub, stream } = await openDashboard();
    show(stream, { devices: [on], clusters: [home], agents: [pi] });
    hub.answers(`GET /devices/${nas.id}/plan?action=off&force=false`, () => json(plan([on], { action: "off" })));
    const powerOff = freshId();
    hub.answers(`POST /devices/${nas.id}/power`, () =>
      json({ powerOff, wake: null, device: "nas", action: "shutdown", stage: "accepted" }, 202),
    );
    await userEvent.click(button("Power off NAS"));
    await userEvent.click(button("Shut down"));
    const at = new Date().toISOString();
    const until = new Date(Date.now() + 29_500).toISOString();
    stream.send({
      event: "power-off",
      data: { powerOff, deviceId: nas.id, stage: "accepted", at, way: "agent", agent: pi.key },
    });
    stream.send({
      event: "device",
      data: { ...on, powerOff: { id: powerOff, action: "shutdown", stage: "announced", until } },
    });
    stream.send({ event: "power-off", data: { powerOff, deviceId: nas.id, stage: "announced", at, until, users: 1 } });
    await expect
      .element(card("NAS").getByText(/^Asked pi · goes down in \d+ s unless somebody there says not now$/))
      .toBeVisible();
    await expect.poll(() => page.getByRole("dialog").elements()).toEqual([]);
    hub.answers(`DELETE /power-offs/${powerOff}`, () => json({}));
    await userEvent.click(button("Keep on NAS"));
    await expect.poll(() => hub.calls.at(-1)?.route).toBe(`DELETE /power-offs/${powerOff}`);
    stream.send({ event: "device", data: on });
    await expect.element(button("Power off NAS")).toBeVisible();
  });

  test("is not offered to whoever may not power it off", async () => {
    const { stream } = await openDashboard({}, me({ role: "user" }));
    show(stream, { devices: [on], clusters: [home], agents: [pi] });
    await expect.element(card("NAS")).toBeVisible();
    expect(page.getByRole("button", { name: /Power off/ }).elements()).toEqual([]);
  });
});

describe("what the address names", () => {
  test("is opened, follows its row, and is closed with it", async () => {
    const { hub, element, stream } = await openDashboard({ opened: { kind: "device", key: "nas" } });
    hub.answers(`GET /devices/${nas.id}/wakes?limit=5`, () => json({ items: [], next: null, total: 0 }));
    show(stream, { devices: [nas], clusters: [home], agents: [pi] });
    await expect.element(page.getByRole("dialog", { name: "NAS" })).toBeVisible();
    stream.send({ event: "device", data: { ...nas, name: "Big NAS" } });
    await expect.element(page.getByRole("dialog", { name: "Big NAS" })).toBeVisible();
    element.opened = undefined;
    await expect.poll(() => page.getByRole("dialog").elements()).toEqual([]);
  });

  test("is woken from there, and anyway when it is on", async () => {
    const { hub, stream } = await openDashboard({ opened: { kind: "device", key: "nas" } });
    hub.answers(`GET /devices/${nas.id}/wakes?limit=5`, () => json({ items: [], next: null, total: 0 }));
    hub.answers(`POST /devices/${nas.id}/wake`, () =>
      json({ wake: freshId(), device: "nas", stage: "accepted", agents: [] }, 202),
    );
    show(stream, { devices: [nas], clusters: [home], agents: [pi] });
    const dialog = page.getByRole("dialog", { name: "NAS" });
    await userEvent.click(dialog.getByRole("button", { name: "Wake", exact: true }));
    await expect.poll(() => hub.bodiesOf(`POST /devices/${nas.id}/wake`)).toEqual([{ force: false }]);
    stream.send({ event: "device", data: { ...nas, power: "on" } });
    await userEvent.click(dialog.getByRole("button", { name: "Wake anyway" }));
    await expect.poll(() => hub.bodiesOf(`POST /devices/${nas.id}/wake`).at(-1)).toEqual({ force: true });
  });

  test("and is not there is said, once the hub was heard", async () => {
    const { stream, toasts } = await openDashboard({ opened: { kind: "device", key: "nobody" } });
    expect(toasts).toEqual([]);
    show(stream, { devices: [nas], clusters: [home], agents: [pi] });
    await expect.poll(() => toasts).toMatchObject([{ tone: "bad", text: expect.stringMatching(/nobody/) }]);
  });
});

describe("the head of the page", () => {
  test.each([
    ["Device", "Add a device"],
    ["Cluster", "Add a cluster"],
    ["Agent", "Join an agent"],
  ])("adds: %s", async (item, title) => {
    const { stream } = await openDashboard();
    show(stream, { devices: [nas], clusters: [home], agents: [pi] });
    await userEvent.click(button("Add"));
    await userEvent.click(button(item));
    await expect.element(page.getByRole("dialog", { name: title })).toBeVisible();
  });
});

describe("what an account may do", () => {
  const viewer = me({ role: "viewer" });
  const anna = me({ role: "user" });

  test("a viewer sees what is on, and is offered nothing", async () => {
    const { stream } = await openDashboard({}, viewer);
    show(stream, { devices: [{ ...nas, power: "on" }, box], clusters: [home] });
    await expect.element(page.getByRole("heading", { name: "1 of 2 on" })).toBeVisible();
    expect(page.getByRole("button").elements()).toEqual([button("Account and settings").element()]);
    expect(page.getByText(/agent/i).elements()).toEqual([]);
  });

  test("a viewer of an empty hub is not asked to fill it", async () => {
    const { stream } = await openDashboard({}, viewer);
    show(stream, {});
    await expect.element(page.getByText("There are no devices yet.")).toBeVisible();
    expect(page.getByRole("button").elements()).toEqual([button("Account and settings").element()]);
  });

  test("a user adds devices and clusters, and joins no agents", async () => {
    const { stream } = await openDashboard({}, anna);
    show(stream, { devices: [nas], clusters: [home], agents: [pi] });
    await userEvent.click(button("Add"));
    await expect.element(button("Device")).toBeVisible();
    await expect.element(button("Cluster")).toBeVisible();
    expect(button("Agent").elements()).toEqual([]);
  });

  test("a user looks at an agent and changes nothing of it", async () => {
    const { stream } = await openDashboard({ opened: { kind: "agent", key: "pi" } }, anna);
    show(stream, { devices: [nas], clusters: [home], agents: [pi] });
    await expect.element(page.getByRole("dialog", { name: "Pi" })).toBeVisible();
    expect(button("Save").elements()).toEqual([]);
  });

  test("the address of a cluster that is not theirs opens nothing, and the page says why", async () => {
    const { stream, toasts } = await openDashboard({ opened: { kind: "cluster", key: "home" } }, anna);
    show(stream, { devices: [nas], clusters: [home], agents: [pi] });
    await expect.poll(() => toasts).toMatchObject([{ tone: "bad", text: "Your account may not change Home" }]);
    expect(page.getByRole("dialog").elements()).toEqual([]);
  });

  test("a right that is given shows at once", async () => {
    const { stream } = await openDashboard({}, anna);
    show(stream, { devices: [nas], clusters: [home], agents: [pi] });
    await expect.element(card("NAS")).toBeVisible();
    expect(button("Wake NAS").elements()).toEqual([]);
    stream.send({ event: "device", data: { ...nas, shares: [{ userId: anna.id, level: "wake" }] } });
    await expect.element(button("Wake NAS")).toBeVisible();
  });
});
