import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { focused, heard, mounted } from "../fixtures/mounted.ts";
import { ACCOUNT, agent, cluster, device, me, user } from "../fixtures/rows.ts";
import { json, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { actorOf } from "../live/actor.ts";
import { LiveStore } from "../live/live-store.ts";
import { DeviceForm } from "./device-form.ts";

const home = cluster({ name: "Home" });
const office = cluster({ name: "Office" });

const field = (label: string | RegExp) => page.getByRole("textbox", { name: label });
const select = (label: string) => page.getByRole("combobox", { name: label });
const check = (label: string | RegExp) => page.getByRole("checkbox", { name: label });
const submit = page.getByRole("button", { name: /^(Add device|Save)$/ });
const unfold = (title: string) => userEvent.click(page.getByText(title, { exact: true }));

function storeOf({
  clusters = [home],
  agents = [],
}: { clusters?: (typeof home)[]; agents?: ReturnType<typeof agent>[] } = {}) {
  const store = new LiveStore();
  for (const row of clusters) store.clusters.set(row.id, row);
  for (const row of agents) store.agents.set(row.id, row);
  return store;
}

const [anna, ben] = [me({ role: "user" }), user({ username: "ben", fullName: "Ben Li" })];
const vic = user({ username: "vic", role: "viewer" });
const everybody = [ACCOUNT, anna, ben, vic];

async function openForm(edited?: ReturnType<typeof device>, store = storeOf(), account = ACCOUNT) {
  const hub = scriptedHub();
  hub.answers("GET /users?limit=200", () => json({ items: everybody, next: null, total: everybody.length }));
  const route = edited ? `PATCH /devices/${edited.id}` : "POST /devices";
  hub.answers(route, () => json(edited ? { ...edited, droppedLinks: [] } : device(), edited ? 200 : 201));
  const element = await mounted(DeviceForm, { device: edited, store, actor: actorOf(account) });
  const toasts = heard(globalThis, "toast");
  return { hub, route, element, closed: heard(element, "closed"), toasts, sent: () => hub.bodiesOf(route) };
}

describe("adding a device", () => {
  test("takes a name and a MAC address, and nothing else has to be thought of", async () => {
    const { sent, closed } = await openForm(undefined, storeOf({ clusters: [] }));
    await userEvent.fill(field("Name"), " NAS ");
    await userEvent.fill(field("MAC address"), "AA-BB-CC-DD-EE-01");
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toMatchObject([
      { name: "NAS", mac: "AA-BB-CC-DD-EE-01", address: null, clusterId: null, agentIds: [], enabled: true, tags: [] },
    ]);
    expect(sent()[0]).not.toHaveProperty("secureOn");
  });

  test("takes everything that a device can have", async () => {
    const { sent, closed } = await openForm(undefined, storeOf({ clusters: [home, office] }));
    await userEvent.fill(field("Name"), "NAS");
    await userEvent.fill(field("MAC address"), "aa:bb:cc:dd:ee:01");
    await userEvent.fill(field(/IP address/), "nas.lan");
    await userEvent.selectOptions(select("Cluster"), "Office");
    await userEvent.selectOptions(select("Operating system"), "Windows");
    await userEvent.fill(field("Description"), "Photos");
    await userEvent.fill(field("Tags"), "storage, living room");
    await unfold("Waking");
    await userEvent.fill(field(/Give up after/), "30");
    await userEvent.fill(field("UDP ports"), "9");
    await userEvent.fill(field("Send to"), "10.0.0.255 10.0.1.255");
    await userEvent.fill(field("SecureOn password"), "01:02:03:04:05:06");
    await unfold("Watching");
    await userEvent.click(check("Ping it (ICMP)"));
    await userEvent.fill(field("TCP ports"), "22, 445");
    await userEvent.fill(field(/Look every/), "5");
    await unfold("Powering off");
    await userEvent.selectOptions(select("“Off” means"), "Sleep");
    await userEvent.fill(field(/Countdown/), "0");
    await userEvent.fill(field(/Give it to go down/), "300");
    await userEvent.click(check(/Goes down when nobody/));
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toEqual([
      {
        name: "NAS",
        mac: "aa:bb:cc:dd:ee:01",
        address: "nas.lan",
        os: "windows",
        clusterId: office.id,
        agentIds: [],
        enabled: true,
        showInHomeAssistant: true,
        description: "Photos",
        tags: ["storage", "living room"],
        secureOn: "01:02:03:04:05:06",
        wake: { addresses: ["10.0.0.255", "10.0.1.255"], ports: [9], windowSeconds: 30 },
        watch: { icmp: false, arp: true, tcpPorts: [22, 445], intervalSeconds: 5 },
        power: { ownAgentId: null, off: "sleep", countdownSeconds: 0, graceSeconds: 300, offAfterLease: true },
      },
    ]);
  });

  test("puts it into the only cluster, where there is one only", async () => {
    await openForm();
    await expect.element(select("Cluster")).toHaveValue(home.id);
  });

  test("puts it into none where there are several", async () => {
    await openForm(undefined, storeOf({ clusters: [home, office] }));
    await expect.element(select("Cluster")).toHaveValue("");
  });

  test("says at its field that a MAC address is taken, keeps what was typed, and goes through once it is mended", async () => {
    const { hub, closed, sent } = await openForm();
    const detail = "A device with this MAC address exists already";
    hub.answers("POST /devices", () => problem("DUPLICATE", detail, [{ path: "mac", message: detail }]));
    await userEvent.fill(field("Name"), "NAS");
    await userEvent.fill(field("MAC address"), "aa:bb:cc:dd:ee:01");
    await userEvent.click(submit);
    await expect.element(field("MAC address")).toHaveAccessibleDescription(/exists already/);
    await expect.poll(focused).toBe("mac");
    await expect.element(field("Name")).toHaveValue("NAS");
    expect(page.getByText(/exists already/).elements()).toHaveLength(1);
    hub.answers("POST /devices", () => json(device(), 201));
    await userEvent.fill(field("MAC address"), "aa:bb:cc:dd:ee:02");
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toHaveLength(2);
  });

  test.each([
    ["wake.ports.1", "UDP ports", "UDP ports", "9, 70000"],
    ["wake.windowSeconds", "Give up after", /Give up after/, "soon"],
    ["wake.addresses.0", "Send to", "Send to", "nowhere"],
    ["watch.tcpPorts.0", "TCP ports", "TCP ports", "ssh"],
    ["watch.intervalSeconds", "Look every", /Look every/, "0"],
  ] as const)("unfolds what is wrong with %s, and has the focus there", async (path, _label, label, typed) => {
    const { hub } = await openForm();
    hub.answers("POST /devices", () =>
      problem("INVALID_INPUT", "Invalid input", [{ path, message: "is not right" }], 422),
    );
    await unfold(path.startsWith("wake") ? "Waking" : "Watching");
    await userEvent.fill(field(label), typed);
    await unfold(path.startsWith("wake") ? "Waking" : "Watching");
    await userEvent.click(submit);
    await expect.element(field(label)).toBeVisible();
    await expect.element(field(label)).toHaveAccessibleDescription(/is not right/);
    await expect.element(field(label)).toHaveValue(typed);
    await expect.poll(focused).toBe(path.split(".").slice(0, 2).join("."));
  });

  test("says that the hub cannot be reached, keeps what was typed, and may be tried again", async () => {
    const { hub, closed } = await openForm();
    hub.answers("POST /devices", () => Promise.reject(new TypeError("Failed to fetch")));
    await userEvent.fill(field("Name"), "NAS");
    await userEvent.click(submit);
    await expect.element(page.getByRole("alert")).toMatchTextContent(/cannot be reached/);
    await expect.element(field("Name")).toHaveValue("NAS");
    hub.answers("POST /devices", () => json(device(), 201));
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
  });

  test("is asked of the hub once, however often the button is pressed", async () => {
    const { hub, closed, sent } = await openForm();
    const answer = hub.holds("POST /devices");
    await userEvent.fill(field("Name"), "NAS");
    await userEvent.click(submit);
    const busy = page.getByRole("button", { name: "Adding…" });
    await expect.element(busy).toBeVisible();
    await userEvent.click(busy, { force: true });
    await userEvent.click(field("Name"));
    await userEvent.keyboard("{Enter}");
    expect(sent()).toHaveLength(1);
    answer(json(device(), 201));
    await expect.poll(() => closed.length).toBe(1);
  });
});

describe("editing a device", () => {
  const nas = device({
    name: "NAS",
    clusterId: home.id,
    address: "10.0.0.5",
    description: "Photos",
    tags: ["storage"],
    wake: { addresses: [], ports: [9, 7], windowSeconds: 60 },
    watch: { icmp: true, arp: false, tcpPorts: [22], intervalSeconds: 15 },
  });

  test("shows it as it is", async () => {
    await openForm(nas);
    await expect.element(field("Name")).toHaveValue("NAS");
    await expect.element(field("MAC address")).toHaveValue(nas.mac);
    await expect.element(select("Cluster")).toHaveValue(home.id);
    await unfold("Waking");
    await expect.element(field("UDP ports")).toHaveValue("9, 7");
    await expect.element(field(/Give up after/)).toHaveValue("60");
    await unfold("Watching");
    expect(check("Look for its MAC address (ARP)").element()).not.toBeChecked();
  });

  test("that changes nothing asks the hub for nothing", async () => {
    const { hub, closed } = await openForm(nas);
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(hub.calls.filter(({ route }) => !route.startsWith("GET"))).toEqual([]);
  });

  test("sends what was changed alone", async () => {
    const { sent, closed } = await openForm(nas);
    await userEvent.fill(field("Name"), "Big NAS");
    await userEvent.fill(field("Tags"), "storage, attic");
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toEqual([{ name: "Big NAS", tags: ["storage", "attic"] }]);
  });

  test("does not undo what somebody else changed while the form was open", async () => {
    const { element, sent, closed } = await openForm(nas);
    element.device = { ...nas, name: "Renamed elsewhere", description: "changed elsewhere" };
    await userEvent.fill(field(/IP address/), "10.0.0.6");
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toEqual([{ address: "10.0.0.6" }]);
  });

  test("tells who saves later what somebody else wrote in the same field, and replaces it when that is meant", async () => {
    const { element, sent, closed } = await openForm(nas);
    await userEvent.fill(field("Description"), "mine");
    element.device = { ...nas, description: "theirs", name: "Renamed elsewhere" };
    await userEvent.click(submit);
    await expect.element(field("Description")).toHaveAccessibleDescription(/wrote “theirs” here meanwhile/);
    await expect.element(field("Description")).toHaveValue("mine");
    expect(sent()).toEqual([]);
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toEqual([{ description: "mine" }]);
  });

  test("clears a field that is emptied", async () => {
    const { sent, closed } = await openForm(nas);
    await userEvent.clear(field(/IP address/));
    await userEvent.clear(field("Description"));
    await userEvent.clear(field("Tags"));
    await userEvent.selectOptions(select("Cluster"), "None");
    await unfold("Waking");
    await userEvent.clear(field(/Give up after/));
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toMatchObject([
      { address: null, description: null, tags: [], clusterId: null, wake: { windowSeconds: null } },
    ]);
  });

  test("disables it", async () => {
    const { sent, closed } = await openForm(nas);
    await unfold("More");
    await userEvent.click(check("Enabled"));
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toEqual([{ enabled: false }]);
  });

  test("never shows a SecureOn password, keeps it when nothing is typed, and forgets it when told so", async () => {
    const kept = { ...nas, secureOnSet: true };
    const { sent, closed } = await openForm(kept);
    await unfold("Waking");
    await expect.element(field("SecureOn password")).toHaveValue("");
    await userEvent.fill(field("Name"), "Big NAS");
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toEqual([{ name: "Big NAS" }]);

    const again = await openForm({ ...kept, id: device().id });
    await userEvent.click(page.getByText("Waking", { exact: true }).last());
    await userEvent.click(check("Forget the SecureOn password"));
    await userEvent.click(submit);
    await expect.poll(() => again.closed.length).toBe(1);
    expect(again.sent()).toEqual([{ secureOn: null }]);
  });

  test("says which links went with a move", async () => {
    const { hub, route, closed, toasts } = await openForm(nas, storeOf({ clusters: [home, office] }));
    const droppedLinks = [{ deviceId: nas.id, agentId: agent().id }];
    hub.answers(route, () => json({ ...nas, droppedLinks }));
    await userEvent.selectOptions(select("Cluster"), "Office");
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(toasts).toMatchObject([{ text: expect.stringMatching(/NAS moved.*link/) }]);
  });
});

describe("the agents of a device", () => {
  const [one, two] = [agent({ name: "One", clusterId: home.id }), agent({ name: "Two", clusterId: home.id })];
  const [three, four] = [agent({ name: "Three", clusterId: office.id }), agent({ name: "Four", clusterId: office.id })];
  const store = () => storeOf({ clusters: [home, office], agents: [one, two, three, four] });

  test("are chosen among those of its cluster", async () => {
    const { sent, closed } = await openForm(device({ clusterId: home.id }), store());
    await unfold("Waking");
    await userEvent.click(check("Two"));
    expect(check("Three").elements()).toEqual([]);
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toEqual([{ agentIds: [two.id] }]);
  });

  test("are no question in a cluster with one", async () => {
    await openForm(device({ clusterId: home.id }), storeOf({ agents: [one] }));
    await unfold("Waking");
    expect(check("One").elements()).toEqual([]);
  });

  test("follow the cluster that is chosen, and none is ticked that nobody ticked", async () => {
    await openForm(device({ clusterId: home.id }), store());
    await unfold("Waking");
    await userEvent.click(check("One"));
    await userEvent.selectOptions(select("Cluster"), "Office");
    await expect.element(check("Three")).toBeVisible();
    expect(check("One").elements()).toEqual([]);
    await expect.element(check("Three")).not.toBeChecked();
    await expect.element(check("Four")).not.toBeChecked();
  });
});

describe("whose a device is", () => {
  const share = (name: string) => page.getByRole("combobox", { name });
  const openSharing = async (row: Parameters<typeof device>[0], account = ACCOUNT) => {
    const opened = await openForm(device(row), undefined, account);
    await unfold("Owner and sharing");
    await expect.element(page.getByText("Shared with", { exact: true })).toBeVisible();
    return opened;
  };

  test("is for an admin to say", async () => {
    const { sent, closed } = await openSharing({ ownerId: anna.id });
    await expect.element(select("Owner")).toHaveValue(anna.id);
    await userEvent.selectOptions(select("Owner"), "Ben Li (ben)");
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toEqual([{ ownerId: ben.id }]);
  });

  test("can be nobody, and somebody that the page does not know", async () => {
    const { sent, closed } = await openSharing({ ownerId: "00000000-0000-4000-9000-000000000001" });
    await expect.element(select("Owner").getByRole("option", { selected: true })).toMatchTextContent(/not here/);
    await userEvent.selectOptions(select("Owner"), "Nobody");
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toEqual([{ ownerId: null }]);
  });

  test("is not for its owner to say, who shares it all the same", async () => {
    const { sent, closed } = await openSharing({ ownerId: anna.id }, anna);
    expect(select("Owner").elements()).toEqual([]);
    expect(share("Share with").getByRole("option", { name: "anna" }).elements()).toEqual([]);
    await userEvent.selectOptions(share("Share with"), "Ben Li (ben)");
    await userEvent.selectOptions(share("Ben Li (ben)"), "View");
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toEqual([{ shares: [{ userId: ben.id, level: "view" }] }]);
  });

  test("tells an admin that a viewer may not wake it, whatever is chosen", async () => {
    const { sent, closed } = await openSharing({});
    await userEvent.selectOptions(share("Share with"), "vic");
    await expect.element(share("vic")).toHaveValue("view");
    await expect.element(share("vic")).toHaveAccessibleDescription(/may not wake it/);
    await userEvent.selectOptions(share("Share with"), "Ben Li (ben)");
    await expect.element(share("Ben Li (ben)")).toHaveValue("wake");
    await expect.element(share("Ben Li (ben)")).not.toHaveAccessibleDescription();
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toMatchObject([{ shares: [{ level: "wake" }, { userId: vic.id, level: "view" }] }]);
  });

  test("is not asked of somebody who sees no accounts", async () => {
    const { hub } = await openForm(device(), undefined, me({ role: "viewer" }));
    expect(page.getByText("Owner and sharing").elements()).toEqual([]);
    expect(hub.calls).toEqual([]);
  });

  test("can be shared no more, and what others shared meanwhile stays", async () => {
    const cem = user({ username: "cem" });
    const row = device({ shares: [{ userId: ben.id, level: "wake" }] });
    const { element, sent, closed } = await openSharing(row);
    element.device = { ...row, shares: [...row.shares, { userId: cem.id, level: "view" }] };
    await userEvent.click(page.getByRole("button", { name: "Do not share with Ben Li (ben)" }));
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()).toEqual([{ shares: [{ userId: cem.id, level: "view" }] }]);
  });

  test("is the maker's when it is new: nothing has to be said", async () => {
    const { sent, closed } = await openForm(undefined, undefined, anna);
    await userEvent.fill(field("Name"), "NAS");
    await userEvent.fill(field("MAC address"), "aa:bb:cc:dd:ee:01");
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(sent()[0]).not.toHaveProperty("ownerId");
    expect(sent()[0]).not.toHaveProperty("shares");
  });

  test("stays as it is when the accounts cannot be read", async () => {
    const edited = device({ ownerId: anna.id, shares: [{ userId: ben.id, level: "wake" }] });
    const hub = scriptedHub();
    const element = await mounted(DeviceForm, { device: edited, store: storeOf(), actor: actorOf(ACCOUNT) });
    const closed = heard(element, "closed");
    hub.answers(`PATCH /devices/${edited.id}`, () => json({ ...edited, droppedLinks: [] }));
    await unfold("Owner and sharing");
    await expect.element(page.getByText(/accounts cannot be read/)).toBeVisible();
    await userEvent.fill(field("Name"), "Box");
    await userEvent.click(submit);
    await expect.poll(() => closed.length).toBe(1);
    expect(hub.bodiesOf(`PATCH /devices/${edited.id}`)).toEqual([{ name: "Box" }]);
  });
});
