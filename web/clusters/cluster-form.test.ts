import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { focused, heard, mounted } from "../fixtures/mounted.ts";
import { ACCOUNT, agent, cluster, device, me } from "../fixtures/rows.ts";
import { json, noContent, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { actorOf } from "../live/actor.ts";
import { LiveStore } from "../live/live-store.ts";
import { ClusterForm } from "./cluster-form.ts";

const field = (label: string) => page.getByRole("textbox", { name: label });
const check = (label: string) => page.getByRole("checkbox", { name: label });
const button = (label: string) => page.getByRole("button", { name: label, exact: true });
const submit = page.getByRole("button", { name: /^(Add cluster|Save)$/ });

const anna = me({ role: "user" });
const office = cluster({ name: "Office" });
const nas = device({ name: "NAS" });
const box = device({ name: "Box", clusterId: office.id });
const pi = agent({ name: "Pi" });
const home = cluster({ name: "Home", description: "Ground floor", deviceIds: [nas.id], agentIds: [pi.id] });

function store() {
  const store = new LiveStore();
  for (const row of [home, office]) store.clusters.set(row.id, row);
  for (const row of [{ ...nas, clusterId: home.id }, box]) store.devices.set(row.id, row);
  store.agents.set(pi.id, { ...pi, clusterId: home.id });
  return store;
}

async function openForm(edited?: typeof home, account = ACCOUNT, rows = store()) {
  const hub = scriptedHub();
  hub.answers("GET /users?limit=200", () => json({ items: [ACCOUNT, anna], next: null, total: 2 }));
  const route = edited ? `PATCH /clusters/${edited.id}` : "POST /clusters";
  hub.answers(route, () => json(edited ? { ...edited, droppedLinks: [] } : cluster(), edited ? 200 : 201));
  const element = await mounted(ClusterForm, { cluster: edited, store: rows, actor: actorOf(account) });
  return {
    hub,
    route,
    element,
    closed: heard(element, "closed"),
    toasts: heard(globalThis, "toast"),
    sent: () => hub.bodiesOf(route),
  };
}

describe("adding a cluster", () => {
  test("takes its name and members, and says where a member is now", async () => {
    const { sent, closed } = await openForm();
    await userEvent.fill(field("Name"), "Attic");
    await expect.element(check("Box")).toHaveAccessibleDescription("now in Office");
    await userEvent.click(check("Box"));
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toEqual([
      {
        name: "Attic",
        description: null,
        tags: [],
        deviceIds: [box.id],
        agentIds: [],
        showInHomeAssistant: true,
        pace: { staggerMs: 0, atOnce: null },
      },
    ]);
  });

  test("says in which order its devices start, and what has to be up before any of them", async () => {
    const { sent, closed } = await openForm();
    await userEvent.fill(field("Name"), "Attic");
    await userEvent.click(page.getByText("Order and pace"));
    await userEvent.fill(field("Seconds between two devices"), "1.5");
    await userEvent.fill(field("At a time at most"), "2");
    await userEvent.selectOptions(page.getByRole("combobox", { name: /Add a device/ }), "Box");
    await userEvent.selectOptions(page.getByRole("combobox", { name: /Box is ready when/ }), "a TCP port answers");
    await userEvent.fill(field("Port"), "22");
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toMatchObject([
      { pace: { staggerMs: 1_500, atOnce: 2 }, dependsOn: [{ deviceId: box.id, ready: { type: "tcp", port: 22 } }] },
    ]);
  });

  test("without a name says so at its field", async () => {
    const { hub, closed } = await openForm();
    hub.answers("POST /clusters", () =>
      problem("INVALID_INPUT", "Invalid", [{ path: "name", message: "is empty" }], 422),
    );
    await userEvent.click(submit);
    await expect.element(field("Name")).toHaveAccessibleDescription(/is empty/);
    await expect.poll(focused).toBe("name");
    expect(closed).toEqual([]);
  });
});

describe("of many devices", () => {
  const labels = () => page.getByRole("checkbox", { name: /^PC/ }).elements().map(labelOf);
  const labelOf = (element: Element) => (element as HTMLInputElement).labels?.[0]?.textContent;
  const find = page.getByRole("searchbox", { name: "Find devices" });

  function manyDevices() {
    const rows = store();
    for (let number = 20; number > 0; number--) {
      const row = device({ name: `PC ${number}` });
      rows.devices.set(row.id, row);
    }
    return rows;
  }

  test("each stands where people look for its number", async () => {
    await openForm(undefined, ACCOUNT, manyDevices());
    await expect.element(check("PC 20")).toBeVisible();
    expect(labels().slice(0, 3)).toEqual(["PC 1", "PC 2", "PC 3"]);
    expect(labels().at(-1)).toBe("PC 20");
  });

  test("one is found by its name, and what was ticked stays", async () => {
    const { sent, closed } = await openForm(undefined, ACCOUNT, manyDevices());
    await userEvent.fill(field("Name"), "Attic");
    await userEvent.click(check("Box"));
    await userEvent.fill(find, "pc 20");
    expect(labels()).toEqual(["PC 20"]);
    await userEvent.click(check("PC 20"));
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect((sent()[0] as { deviceIds: string[] }).deviceIds).toHaveLength(2);
  });

  test("looking for one that is not there says so, Escape shows all again, and nothing was typed by that", async () => {
    const { closed } = await openForm(undefined, ACCOUNT, manyDevices());
    await userEvent.fill(find, "printer");
    await expect.element(page.getByText("None is called “printer”.")).toBeVisible();
    await userEvent.keyboard("{Escape}");
    await expect.element(check("PC 1")).toBeVisible();
    expect(closed).toHaveLength(0);
    await userEvent.keyboard("{Escape}");
    await expect.poll(() => closed.length).toBe(1);
  });
});

describe("editing a cluster", () => {
  test("leaves the members alone when they are not changed", async () => {
    const { sent, closed } = await openForm(home);
    await expect.element(check("NAS")).toBeChecked();
    await expect.element(check("Box")).not.toBeChecked();
    await userEvent.fill(field("Name"), "House");
    await userEvent.clear(field("Description"));
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toEqual([{ name: "House", description: null }]);
  });

  test("sends all members when one is added and one is taken out", async () => {
    const { sent, closed } = await openForm(home);
    await userEvent.click(check("NAS"));
    await userEvent.click(check("Box"));
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toEqual([{ deviceIds: [box.id] }]);
  });

  test("tells who saves later what somebody else wrote in the same field", async () => {
    const { element, sent } = await openForm(home);
    await userEvent.fill(field("Name"), "Attic");
    element.cluster = { ...home, name: "Cellar" };
    await userEvent.click(submit);
    await expect.element(field("Name")).toHaveAccessibleDescription(/wrote “Cellar” here meanwhile/);
    expect(sent()).toEqual([]);
  });

  test("keeps each tick at its own row when devices come and go meanwhile", async () => {
    const { element, sent, closed } = await openForm(home);
    element.store?.devices.set("00000000-0000-4000-9000-000000000001", device({ name: "Another" }));
    await userEvent.click(check("Box"));
    await expect.element(check("NAS")).toBeChecked();
    await expect.element(check("Box")).toBeChecked();
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toEqual([{ deviceIds: [nas.id, box.id].toSorted() }]);
  });

  test("says how many links no longer fit", async () => {
    const { hub, route, toasts, closed } = await openForm(home);
    const droppedLinks = [{ deviceId: nas.id, agentId: pi.id }];
    hub.answers(route, () => json({ ...home, droppedLinks }));
    await userEvent.click(check("NAS"));
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(toasts).toMatchObject([{ text: expect.stringMatching(/^1 link/) }]);
  });
});

describe("deleting a cluster", () => {
  test("asks first, and says what stays", async () => {
    const { hub, closed } = await openForm(home);
    hub.answers(`DELETE /clusters/${home.id}`, noContent);
    await userEvent.click(button("Delete cluster"));
    await expect.element(page.getByText(/Delete Home\?.*stay, in no cluster/)).toBeVisible();
    await userEvent.click(button("Keep"));
    await expect.element(button("Delete cluster")).toBeVisible();
    expect(hub.calls.filter(({ route }) => route.startsWith("DELETE"))).toEqual([]);
    await userEvent.click(button("Delete cluster"));
    await userEvent.click(button("Delete"));
    await expect.poll(() => closed.length).toBe(1);
    expect(hub.calls.map(({ route }) => route)).toContain(`DELETE /clusters/${home.id}`);
  });

  test("that fails says so, and changes nothing of what was typed", async () => {
    const { hub, closed } = await openForm(home);
    hub.answers(`DELETE /clusters/${home.id}`, () =>
      problem("DATABASE_UNAVAILABLE", "The database does not answer", [], 503),
    );
    await userEvent.fill(field("Name"), "House");
    await userEvent.click(button("Delete cluster"));
    await userEvent.click(button("Delete"));
    await expect.element(page.getByRole("alert")).toMatchTextContent(/database does not answer/);
    await userEvent.click(button("Keep"));
    await expect.element(field("Name")).toHaveValue("House");
    expect(closed).toEqual([]);
  });

  test("of a new one is not offered", async () => {
    await openForm();
    expect(button("Delete cluster").elements()).toEqual([]);
  });
});

describe("to a user", () => {
  const mine = device({ name: "Mine", ownerId: anna.id });
  const hers = cluster({ name: "Hers", ownerId: anna.id, deviceIds: [nas.id], agentIds: [pi.id] });

  test("only devices are shown that are theirs to move; the others stay where they are", async () => {
    const { element, sent, closed } = await openForm(hers, anna);
    element.store?.devices.set(mine.id, mine);
    element.requestUpdate();
    await expect.element(check("Mine")).toBeVisible();
    expect(check("NAS").elements()).toEqual([]);
    expect(page.getByText("Agents", { exact: true }).elements()).toEqual([]);
    await userEvent.click(check("Mine"));
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toEqual([{ deviceIds: [mine.id, nas.id].toSorted() }]);
  });

  test("it can be shared", async () => {
    const { sent, closed } = await openForm(hers, anna);
    await userEvent.click(page.getByText("Owner and sharing"));
    await userEvent.selectOptions(page.getByRole("combobox", { name: "Share with" }), "admin");
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toEqual([{ shares: [{ userId: ACCOUNT.id, level: "wake" }] }]);
  });
});
