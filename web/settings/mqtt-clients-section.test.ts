import { describe, expect, onTestFinished, test, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { heard, mounted } from "../fixtures/mounted.ts";
import { cluster, secondsAgo } from "../fixtures/rows.ts";
import { json, noContent, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { mqttClient } from "../fixtures/settings-rows.ts";
import { live } from "../live/live.ts";
import { MqttClientsSection } from "./mqtt-clients-section.ts";

const LIST = "GET /mqtt-clients?limit=200";
const button = (name: string) => page.getByRole("button", { name, exact: true });
const check = (name: string) => page.getByRole("checkbox", { name });
const card = (name: string) => page.getByRole("article", { name });
const dialog = (name: string) => page.getByRole("dialog", { name });
const fact = (name: string) =>
  page
    .getByRole("term")
    .filter({ hasText: new RegExp(`^\\s*${name}`) })
    .element().nextElementSibling?.textContent;

const [home, office] = [cluster({ name: "Home" }), cluster({ name: "Office" })];

async function open(...clients: ReturnType<typeof mqttClient>[]) {
  const hub = scriptedHub();
  const answer = (rows: typeof clients) =>
    hub.answers(LIST, () => json({ items: rows, next: null, total: rows.length }));
  answer(clients);
  for (const row of [home, office]) live.clusters.set(row.id, row);
  onTestFinished(() => live.forget());
  const element = await mounted(MqttClientsSection);
  return { hub, answer, element, toasts: heard(globalThis, "toast") };
}

describe("the MQTT credentials", () => {
  test("that are not there are said", async () => {
    await open();
    await expect.element(page.getByText(/There are none yet/)).toBeVisible();
  });

  test("tell what each may, and who uses it", async () => {
    await open(
      mqttClient({
        clusterIds: [office.id, home.id],
        connections: 1,
        lastSeenAt: new Date().toISOString(),
        lastAddress: "192.168.1.7",
        lastClientId: "ha-1",
        lastProtocol: "3.1.1",
      }),
    );
    await expect.element(card("Home Assistant").getByText("Connected", { exact: true })).toBeVisible();
    expect(fact("User name")).toBe("home-assistant");
    expect(fact("May")).toBe("Read, Wake, Discovery");
    expect(fact("Clusters")).toBe("Home, Office");
    expect(fact("Address")).toBe("192.168.1.7");
    expect(fact("MQTT version")).toBe("3.1.1");
    expect(fact("Client identifier")).toBe("ha-1");
  });

  test.each([
    ["was never used", {}, "Never connected"],
    ["is used twice", { connections: 2 }, "Connected 2 times"],
    ["was used yesterday", { lastSeenAt: secondsAgo(86_400) }, /^Last seen /],
  ] as const)("tell that one %s", async (_what, row, words) => {
    await open(mqttClient(row));
    await expect.element(card("Home Assistant").getByText(words)).toBeVisible();
  });

  test("tell of a cluster that was deleted nothing, and of all of them so", async () => {
    await open(mqttClient({ name: "Old", clusterIds: ["00000000-0000-4000-9000-000000000009"] }));
    await expect.element(card("Old")).toBeVisible();
    expect(fact("Clusters")).toBe("none");
  });

  test("show by themselves who comes", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const row = mqttClient();
    const { answer } = await open(row);
    await expect.element(page.getByText("Never connected")).toBeVisible();
    answer([{ ...row, connections: 1 }]);
    vi.advanceTimersByTime(5_000);
    await expect.element(page.getByText("Connected", { exact: true })).toBeVisible();
  });
});

describe("adding an MQTT credential", () => {
  const created = {
    ...mqttClient(),
    password: "pbm_secret",
    mqttUrl: "mqtt://hub.lan:1883",
    baseTopic: "powerbeacon",
  };
  const add = async () => {
    await userEvent.click(button("Add"));
    await userEvent.fill(page.getByRole("textbox", { name: "Name" }), "Home Assistant");
  };

  test("shows its password once, with what to enter where", async () => {
    const { hub, answer } = await open();
    hub.answers("POST /mqtt-clients", () => json(created, 201));
    await add();
    answer([created]);
    await userEvent.click(button("Add credential"));
    const shown = dialog("Home Assistant can connect");
    await expect.element(shown).toBeVisible();
    expect(hub.bodiesOf("POST /mqtt-clients")).toEqual([
      { name: "Home Assistant", permissions: ["discovery", "read", "wake"], clusterIds: null },
    ]);
    await expect.element(shown.getByText("pbm_secret", { exact: true })).toBeVisible();
    expect(fact("Broker")).toBe("hub.lan");
    expect(fact("Port")).toBe("1883");
    await expect
      .element(shown.getByText(/^mosquitto_sub/))
      .toMatchTextContent("mosquitto_sub -h hub.lan -p 1883 -u home-assistant -P pbm_secret -t 'powerbeacon/#' -v");
    await userEvent.keyboard("{Escape}{Escape}");
    await expect.element(shown).toBeVisible();
    await userEvent.click(button("I have copied it"));
    await expect.element(card("Home Assistant")).toBeVisible();
    expect(page.getByText("pbm_secret").elements()).toEqual([]);
  });

  test.each([
    ["mqtts://hub.lan", "8883", /-p 8883 --tls-use-os-certs -u/],
    ["mqtt://[fd00::1]", "1883", /-h fd00::1 -p 1883 -u/],
  ])("at %s names the port that is usual there", async (mqttUrl, port, line) => {
    const { hub } = await open();
    hub.answers("POST /mqtt-clients", () => json({ ...created, mqttUrl }, 201));
    await add();
    await userEvent.click(button("Add credential"));
    await expect.element(page.getByText(/^mosquitto_sub/)).toMatchTextContent(line);
    expect(fact("Port")).toBe(port);
  });

  test("by WebSocket names no line that would not work", async () => {
    const { hub } = await open();
    hub.answers("POST /mqtt-clients", () => json({ ...created, mqttUrl: "wss://hub.lan/mqtt" }, 201));
    await add();
    await userEvent.click(button("Add credential"));
    await expect.element(dialog("Home Assistant can connect")).toBeVisible();
    expect([fact("Broker"), fact("Port"), fact("Transport")]).toEqual(["hub.lan", "443", "WebSocket"]);
    expect(page.getByText(/mosquitto_sub/).elements()).toEqual([]);
  });

  test("that may only wake is told nothing of what it could read or discover", async () => {
    const { hub } = await open();
    hub.answers("POST /mqtt-clients", () => json({ ...created, permissions: ["wake"] }, 201));
    await add();
    await userEvent.click(check("Read"));
    await userEvent.click(check("Discovery"));
    await userEvent.click(button("Add credential"));
    await expect.element(dialog("Home Assistant can connect")).toBeVisible();
    expect(hub.bodiesOf("POST /mqtt-clients")).toMatchObject([{ permissions: ["wake"] }]);
    expect(page.getByText(/mosquitto_sub|Port/).elements()).toEqual([]);
  });

  test("for some clusters only sends these", async () => {
    const { hub } = await open();
    hub.answers("POST /mqtt-clients", () => json(created, 201));
    await add();
    await userEvent.selectOptions(page.getByRole("combobox", { name: "Clusters" }), "Only some");
    await userEvent.click(button("Add credential"));
    await expect.element(page.getByText("Choose at least one.")).toBeVisible();
    expect(hub.bodiesOf("POST /mqtt-clients")).toEqual([]);
    await userEvent.click(check("Office"));
    await userEvent.click(button("Add credential"));
    await expect.poll(() => hub.bodiesOf("POST /mqtt-clients")).toMatchObject([{ clusterIds: [office.id] }]);
  });

  test("for nothing is asked about at its field", async () => {
    const { hub } = await open();
    await add();
    for (const name of ["Read", "Wake", "Discovery"]) await userEvent.click(check(name));
    await userEvent.click(button("Add credential"));
    await expect
      .element(page.getByRole("group", { name: "It may" }))
      .toHaveAccessibleDescription("Choose at least one.");
    expect(hub.bodiesOf("POST /mqtt-clients")).toEqual([]);
  });

  test("with a name that is wrong says so at its field, and keeps what was chosen", async () => {
    const { hub } = await open();
    hub.answers("POST /mqtt-clients", () =>
      problem("INVALID_INPUT", "Invalid", [{ path: "name", message: "is longer than 80 characters" }], 422),
    );
    await add();
    await userEvent.click(check("Power down"));
    await userEvent.click(button("Add credential"));
    await expect
      .element(page.getByRole("textbox", { name: "Name" }))
      .toHaveAccessibleDescription("This is longer than 80 characters.");
    await expect.element(check("Power down")).toBeChecked();
  });
});

describe("editing an MQTT credential", () => {
  test("sends what was changed alone", async () => {
    const row = mqttClient({ clusterIds: [home.id] });
    const { hub } = await open(row);
    hub.answers(`PATCH /mqtt-clients/${row.id}`, () => json(row));
    await userEvent.click(button("Edit Home Assistant"));
    await expect.element(check("Home")).toBeChecked();
    await userEvent.click(check("Power down"));
    await userEvent.selectOptions(page.getByRole("combobox", { name: "Clusters" }), "All, and those to come");
    await userEvent.click(button("Save"));
    await expect
      .poll(() => hub.bodiesOf(`PATCH /mqtt-clients/${row.id}`))
      .toEqual([{ permissions: ["discovery", "power", "read", "wake"], clusterIds: null }]);
  });

  test("revokes it after a question that says what ends", async () => {
    const row = mqttClient({ connections: 1 });
    const { hub, answer, toasts } = await open(row);
    hub.answers(`DELETE /mqtt-clients/${row.id}`, noContent);
    await userEvent.click(button("Edit Home Assistant"));
    await userEvent.click(button("Revoke"));
    await expect.element(page.getByText(/open connections end at once/)).toBeVisible();
    expect(hub.calls.filter(({ route }) => route.startsWith("DELETE"))).toEqual([]);
    answer([]);
    await userEvent.click(button("Revoke"));
    await expect.element(page.getByText(/There are none yet/)).toBeVisible();
    expect(toasts).toMatchObject([{ text: "Home Assistant is revoked" }]);
  });
});
