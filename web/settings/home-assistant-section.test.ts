import { describe, expect, onTestFinished, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import type { HomeAssistantAnswer, PreviewAnswer, ThingAnswer, ThingConfig } from "#contracts/api/home-assistant.ts";
import { focused, heard, mounted } from "../fixtures/mounted.ts";
import { secondsAgo } from "../fixtures/rows.ts";
import { type ScriptedHub, json, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { homeAssistantAnswer, thing } from "../fixtures/settings-rows.ts";
import { HomeAssistantSection } from "./home-assistant-section.ts";

const LIST = "GET /home-assistant/things?limit=50";
const PREVIEW = "POST /home-assistant/preview";
const SEND = "POST /home-assistant/send";
const button = (name: string) => page.getByRole("button", { name, exact: true });
const row = (name: string) => page.getByText(name, { exact: true });
const list = (items: readonly ThingAnswer[], total = items.length, next: string | null = null) =>
  json({ items, total, next });

async function open(things: readonly ThingAnswer[] = [thing()], answer: HomeAssistantAnswer = homeAssistantAnswer()) {
  const hub = scriptedHub();
  hub.answers("GET /home-assistant", () => json(answer));
  hub.answers(LIST, () => list(things));
  const element = await mounted(HomeAssistantSection);
  return { hub, element, toasts: heard(globalThis, "toast") };
}

function answersDetails(hub: ScriptedHub, row: ThingAnswer, configs: readonly Partial<ThingConfig>[]): void {
  const whole = configs.map((config, index) => ({
    topic: row.topics[index] ?? "",
    published: null,
    wanted: null,
    differs: false,
    ...config,
  }));
  hub.answers(`GET /home-assistant/things/${row.type}/${row.id}`, () => json({ ...row, configs: whole }));
}

function outcome(parts: Partial<PreviewAnswer> = {}): PreviewAnswer {
  return {
    settings: [],
    published: { messages: 0, bytes: 0, topics: [] },
    cleared: { messages: 0, topics: [] },
    unchanged: { messages: 0 },
    configs: [],
    ...parts,
  };
}

describe("whether Home Assistant listens", () => {
  const client = { name: "Living room", clientId: "ha-1", since: secondsAgo(3_600) };

  test.each<[string, HomeAssistantAnswer, string, RegExp]>([
    [
      "is connected",
      homeAssistantAnswer({}, { clients: [client] }),
      "Home Assistant is listening",
      /Living room, connected since/,
    ],
    [
      "has gone",
      homeAssistantAnswer({}, { bornAt: secondsAgo(60) }),
      "Home Assistant is not connected",
      /with a credential of its own/,
    ],
    ["is not", homeAssistantAnswer(), "Home Assistant was not heard of yet", /with a credential of its own/],
    [
      "greets on another broker",
      homeAssistantAnswer({ broker: "bridge" }, { bornAt: secondsAgo(60) }),
      "Home Assistant is listening",
      /only that broker knows/,
    ],
    [
      "may be on another broker",
      homeAssistantAnswer({ broker: "own" }),
      "Home Assistant was not heard of yet",
      /has not greeted since the hub started/,
    ],
    [
      "cannot be reached",
      homeAssistantAnswer({ broker: "own" }, { reached: false, bornAt: secondsAgo(60) }),
      "The broker does not answer",
      /What there is to tell waits/,
    ],
    ["is told nothing", homeAssistantAnswer({ enabled: false }), "Discovery is off", /HA_DISCOVERY=on/],
  ])("is said where it %s", async (_what, answer, title, sentence) => {
    await open([thing()], answer);
    await expect.element(page.getByRole("article", { name: title })).toBeVisible();
    await expect.element(page.getByText(sentence)).toBeVisible();
  });

  test("offers nothing to send or to try where discovery is off", async () => {
    await open([thing({ state: "not-yet", publishedAt: null })], homeAssistantAnswer({ enabled: false }));
    await expect.element(page.getByText("Not published", { exact: true }).last()).toBeVisible();
    expect(button("Send again").elements()).toEqual([]);
    expect(page.getByText("Try another format or prefix").elements()).toEqual([]);
  });
});

describe("the list of what is published", () => {
  test("says of each what it is, since when and how much", async () => {
    await open([
      thing({ publishedAt: "2026-01-31T12:00:00Z" }),
      thing({ type: "hub", key: null, name: "PowerBeacon" }),
    ]);
    await expect.element(page.getByText(/^Published .*31 Jan, 13:00 · 2\.3 kB$/)).toBeVisible();
    await expect.element(page.getByText("2 things")).toBeVisible();
    await expect.element(page.getByText("Device · nas")).toBeVisible();
    await expect.element(page.getByText("Hub", { exact: true })).toBeVisible();
  });

  test("is looked through by name and by state", async () => {
    const { hub } = await open([thing(), thing({ name: "Desk", state: "hidden" })]);
    hub.answers("GET /home-assistant/things?q=desk&limit=50", () => list([thing({ name: "Desk", state: "hidden" })]));
    hub.answers("GET /home-assistant/things?q=desk&state=failed&limit=50", () => list([]));
    await userEvent.fill(page.getByRole("searchbox"), "desk");
    await expect.element(row("Desk")).toBeVisible();
    await expect.poll(() => row("NAS").elements()).toEqual([]);
    await userEvent.selectOptions(page.getByRole("combobox", { name: "State" }), "Not taken by the broker");
    await expect.element(page.getByText("Nothing fits.")).toBeVisible();
  });

  test("shows more when there is more", async () => {
    const { hub } = await open();
    const first = Array.from({ length: 50 }, (_, index) => thing({ name: `Device ${index}` }));
    hub.answers(LIST, () => list(first, 51, "50"));
    hub.answers("GET /home-assistant/things?limit=100", () => list([...first, thing({ name: "Last" })]));
    await userEvent.fill(page.getByRole("searchbox"), " ");
    await userEvent.click(button("Show more"));
    await expect.element(row("Last")).toBeVisible();
    expect(button("Show more").elements()).toEqual([]);
  });
});

describe("one thing", () => {
  test("shows its topic and its payload, and what stands there where that differs", async () => {
    const nas = thing({ state: "waiting" });
    const { hub } = await open([nas]);
    answersDetails(hub, nas, [{ published: { name: "Old" }, wanted: { name: "NAS" }, differs: true }]);
    await userEvent.click(row("NAS"));
    const [topic = ""] = nas.topics;
    await expect.element(row(topic)).toBeVisible();
    await expect
      .element(page.getByRole("region", { name: `Payload of ${topic}`, exact: true }))
      .toMatchTextContent('{ "name": "NAS" }');
    await userEvent.click(row("What stands there now"));
    await expect.element(page.getByRole("region", { name: /as it stands there/ })).toMatchTextContent(/Old/);
  });

  test("is copied as it is read", async () => {
    const nas = thing();
    const { hub } = await open([nas]);
    answersDetails(hub, nas, [{ wanted: { name: "NAS" }, published: { name: "NAS" } }]);
    const written: string[] = [];
    const { clipboard } = navigator;
    Object.defineProperty(navigator, "clipboard", {
      configurable: true,
      value: { writeText: async (text: string) => void written.push(text) },
    });
    onTestFinished(() => void Object.defineProperty(navigator, "clipboard", { configurable: true, value: clipboard }));
    await userEvent.click(row("NAS"));
    await userEvent.click(page.getByRole("button", { name: /^Copy the payload/ }));
    await expect.poll(() => written).toEqual(['{\n  "name": "NAS"\n}']);
  });

  test("is sent again alone", async () => {
    const nas = thing();
    const { hub, toasts } = await open([nas]);
    answersDetails(hub, nas, []);
    hub.answers(SEND, () => json({ configs: 1, waiting: 0 }));
    await userEvent.click(row("NAS"));
    await userEvent.click(page.getByRole("button", { name: "Send again" }).last());
    await expect.poll(() => toasts).toMatchObject([{ text: "NAS: 1 message sent again" }]);
    expect(hub.bodiesOf(SEND)).toEqual([{ thing: { type: "device", id: nas.id } }]);
  });

  test("is hidden after it was said what that clears, and not before", async () => {
    const nas = thing();
    const { hub } = await open([nas]);
    answersDetails(hub, nas, []);
    hub.answers(PREVIEW, () =>
      json(
        outcome({
          published: { messages: 1, bytes: 900, topics: ["homeassistant/device/cluster/config"] },
          cleared: { messages: 1, topics: [...nas.topics] },
        }),
      ),
    );
    hub.answers(`PATCH /devices/${nas.id}`, () => json({ droppedLinks: [] }));
    await userEvent.click(row("NAS"));
    await userEvent.click(button("Hide…"));
    await expect
      .element(page.getByText(/It would/))
      .toMatchTextContent("It would publish 1 message (900 B) and clear 1 message.");
    expect(hub.bodiesOf(PREVIEW)).toEqual([{ shown: [{ type: "device", id: nas.id, shown: false }] }]);
    expect(hub.bodiesOf(`PATCH /devices/${nas.id}`)).toEqual([]);
    const hidden = { ...nas, state: "hidden", shown: false } as const;
    answersDetails(hub, hidden, []);
    hub.answers(LIST, () => list([hidden]));
    await userEvent.click(button("Hide it"));
    await expect.element(button("Show again…")).toBeVisible();
    expect(hub.bodiesOf(`PATCH /devices/${nas.id}`)).toEqual([{ showInHomeAssistant: false }]);
  });

  test("that is hidden is shown again", async () => {
    const agent = thing({ type: "agent", name: "Pi", state: "hidden" });
    const { hub } = await open([agent]);
    answersDetails(hub, agent, []);
    hub.answers(PREVIEW, () => json(outcome({ published: { messages: 1, bytes: 900, topics: [] } })));
    hub.answers(`PATCH /agents/${agent.id}`, () => json({ droppedLinks: [] }));
    await userEvent.click(row("Pi"));
    await userEvent.click(button("Show again…"));
    await expect.poll(focused).toBe("Leave it");
    await userEvent.keyboard("{Enter}");
    await expect.poll(focused).toBe("Show again…");
    await userEvent.keyboard("{Enter}");
    await userEvent.click(button("Show it"));
    await expect.poll(focused).toBe("Show again…");
    await expect.poll(() => hub.bodiesOf(`PATCH /agents/${agent.id}`)).toEqual([{ showInHomeAssistant: true }]);
  });

  test("that is the hub, deleted there, comes back by being sent", async () => {
    const it = thing({ type: "hub", key: null, name: "PowerBeacon", state: "hidden" });
    const { hub } = await open([it]);
    answersDetails(hub, it, []);
    hub.answers(PREVIEW, () => json(outcome({ published: { messages: 1, bytes: 900, topics: [] } })));
    hub.answers(SEND, () => json({ configs: 1, waiting: 0 }));
    await userEvent.click(row("PowerBeacon"));
    await userEvent.click(button("Show again…"));
    await userEvent.click(button("Show it"));
    await expect.poll(() => hub.bodiesOf(SEND)).toEqual([{ thing: { type: "hub", id: it.id } }]);
  });

  test("says why it cannot be sent", async () => {
    const nas = thing();
    const { hub } = await open([nas]);
    answersDetails(hub, nas, []);
    hub.answers(SEND, () => problem("CONFLICT", "NAS is hidden; show it to send it"));
    await userEvent.click(row("NAS"));
    await userEvent.click(page.getByRole("button", { name: "Send again" }).last());
    await expect.element(page.getByRole("alert")).toMatchTextContent("NAS is hidden; show it to send it");
  });
});

describe("another format or prefix", () => {
  const look = async (answer: PreviewAnswer) => {
    const { hub } = await open();
    hub.answers(PREVIEW, () => json(answer));
    await userEvent.click(row("Try another format or prefix"));
    await userEvent.selectOptions(page.getByRole("combobox", { name: "Format" }), "One message for each entity");
    await userEvent.click(button("Preview"));
    return hub;
  };

  test("is looked at before anything changes, with the settings that make it so", async () => {
    const topics = Array.from({ length: 200 }, (_, index) => `homeassistant/switch/${index}/config`);
    const hub = await look(
      outcome({
        settings: [{ name: "HA_DISCOVERY_FORMAT", value: "single" }],
        published: { messages: 1_204, bytes: 1_500_000, topics },
        cleared: { messages: 87, topics: ["homeassistant/device/x/config"] },
        unchanged: { messages: 2 },
      }),
    );
    await expect
      .element(page.getByText(/It would/))
      .toMatchTextContent(
        "It would publish 1,204 messages (1.5 MB), clear 87 messages and leave 2 messages as they are.",
      );
    expect(hub.bodiesOf(PREVIEW)).toEqual([{ format: "single", prefix: "homeassistant" }]);
    await expect.element(row("HA_DISCOVERY_FORMAT=single")).toBeVisible();
    await userEvent.click(row("Topics to publish"));
    await expect.element(page.getByText("and 1,004 more")).toBeVisible();
    await userEvent.fill(page.getByRole("textbox", { name: "Discovery prefix" }), "ha");
    await expect.poll(() => page.getByText(/It would/).elements()).toEqual([]);
  });

  test("that is the one there is would change nothing", async () => {
    await look(outcome({ unchanged: { messages: 3 } }));
    await expect.element(page.getByText("Nothing would change: 3 messages would stay as they are.")).toBeVisible();
  });

  test("tells that the former prefix is left for cleaning up", async () => {
    await look(outcome({ settings: [{ name: "HA_DISCOVERY_PREFIX", value: "ha" }] }));
    await expect.element(page.getByText(/it clears what stands under the former prefix/)).toBeVisible();
  });

  test("that cannot be is said at its field", async () => {
    const { hub } = await open();
    hub.answers(PREVIEW, () =>
      problem("INVALID_INPUT", "Invalid", [{ path: "prefix", message: "is not a topic name" }], 422),
    );
    await userEvent.click(row("Try another format or prefix"));
    await userEvent.fill(page.getByRole("textbox", { name: "Discovery prefix" }), "a#");
    await userEvent.click(button("Preview"));
    await expect
      .element(page.getByRole("textbox", { name: "Discovery prefix" }))
      .toHaveAccessibleDescription("This is not a topic name.");
  });
});

describe("everything", () => {
  test.each([
    [{ configs: 2, waiting: 1 }, "2 messages sent again; the broker has not taken 1 message yet"],
    [{ configs: 0, waiting: 4 }, "Nothing sent: the broker has not taken 4 messages yet"],
  ])("is sent again, and it is said what waits: %o", async (answer, text) => {
    const { hub, toasts } = await open();
    hub.answers(SEND, () => json(answer));
    await userEvent.click(button("Send again"));
    await expect.poll(() => toasts).toMatchObject([{ text }]);
    expect(hub.bodiesOf(SEND)).toEqual([{}]);
  });

  test("that was left over is cleared, and named", async () => {
    const { hub } = await open();
    hub.answers("POST /home-assistant/clean-up", () =>
      json({ cleared: [{ topic: "old/device/x/config", why: "prefix" }] }),
    );
    await userEvent.click(button("Clean up"));
    await expect.element(row("old/device/x/config")).toBeVisible();
    await expect.element(page.getByText("under another prefix")).toBeVisible();
    hub.answers("POST /home-assistant/clean-up", () => json({ cleared: [] }));
    await userEvent.click(button("Clean up"));
    await expect.element(page.getByText("Nothing was left over.")).toBeVisible();
  });
});
