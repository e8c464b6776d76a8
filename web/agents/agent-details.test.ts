import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { heard, mounted } from "../fixtures/mounted.ts";
import { agent, cluster, freshId, secondsAgo } from "../fixtures/rows.ts";
import { json, noContent, scriptedHub } from "../fixtures/scripted-hub.ts";
import { LiveStore } from "../live/live-store.ts";
import { AgentDetails } from "./agent-details.ts";

const home = cluster({ name: "Home" });
const office = cluster({ name: "Office" });
const button = (name: string) => page.getByRole("button", { name, exact: true });
const fact = (name: string) =>
  page.getByRole("term").filter({ hasText: name }).element().nextElementSibling?.textContent;

async function open(row: Partial<ReturnType<typeof agent>> = {}, properties: Partial<AgentDetails> = {}) {
  const pi = agent({ name: "Pi", clusterId: home.id, ...row });
  const hub = scriptedHub();
  hub.answers(`PATCH /agents/${pi.id}`, () => json({ ...pi, droppedLinks: [{ deviceId: freshId(), agentId: pi.id }] }));
  hub.answers(`DELETE /agents/${pi.id}`, noContent);
  const store = new LiveStore();
  for (const each of [home, office]) store.clusters.set(each.id, each);
  const element = await mounted(AgentDetails, { agent: pi, store, mayChange: true, ...properties });
  return { hub, pi, element, closed: heard(element, "closed"), toasts: heard(globalThis, "toast") };
}

describe("an agent's details", () => {
  test("tell what it runs on and how it is", async () => {
    await open({
      heartbeat: {
        at: secondsAgo(10),
        sequence: 1,
        startedAt: secondsAgo(600),
        version: "1.0.0",
        load1: 0.256,
        memoryUsedPercent: 41.6,
        diskUsedPercent: 0,
        temperatureC: null,
        clockOffsetMs: 0,
      },
      interfaces: [
        {
          name: "eth0",
          mac: null,
          addresses: ["10.0.0.2/24"],
          broadcast: [],
          kind: null,
          link: null,
          armed: null,
          secureOn: null,
        },
      ],
    });
    await expect.element(page.getByRole("dialog", { name: "Pi" })).toBeVisible();
    expect(fact("Machine")).toBe("pi · linux arm64");
    expect(fact("Addresses")).toBe("10.0.0.2/24 (eth0)");
    expect(fact("Load")).toBe("0.26");
    expect(fact("Memory")).toBe("42 % used");
    expect(fact("Disk")).toBe("0 % used");
    expect(page.getByRole("term").filter({ hasText: "Temperature" }).elements()).toEqual([]);
  });

  test("tell a temperature of zero degrees", async () => {
    const heartbeat = {
      at: secondsAgo(10),
      sequence: 1,
      startedAt: secondsAgo(600),
      version: "1.0.0",
      load1: null,
      memoryUsedPercent: null,
      diskUsedPercent: null,
      temperatureC: 0,
      clockOffsetMs: null,
    };
    await open({ heartbeat });
    expect(fact("Temperature")).toBe("0 °C");
  });

  test("change nothing when nothing was changed", async () => {
    const { hub, closed } = await open();
    await userEvent.click(button("Save"));
    await expect.poll(() => closed.length).toBe(1);
    expect(hub.calls).toEqual([]);
  });

  test("rename it and move it, and say which links went", async () => {
    const { hub, pi, closed, toasts } = await open();
    await userEvent.fill(page.getByRole("textbox", { name: "Name" }), "Attic Pi");
    await userEvent.selectOptions(page.getByRole("combobox", { name: "Cluster" }), "Office");
    await userEvent.click(button("Save"));
    await expect.poll(() => closed.length).toBe(1);
    expect(hub.bodiesOf(`PATCH /agents/${pi.id}`)).toEqual([{ name: "Attic Pi", clusterId: office.id }]);
    expect(toasts).toMatchObject([{ text: expect.stringMatching(/Attic Pi.* 1 /) }]);
  });

  test("delete it after a question that says what that means", async () => {
    const { hub, pi, closed } = await open();
    await userEvent.click(button("Delete agent"));
    await expect.element(page.getByText(/Delete Pi\?.*credential ends at once/)).toBeVisible();
    await userEvent.click(button("Delete"));
    await expect.poll(() => closed.length).toBe(1);
    expect(hub.calls.map(({ route }) => route)).toEqual([`DELETE /agents/${pi.id}`]);
  });
});

test("whoever may not change it reads how it is, and is offered nothing else", async () => {
  const { closed } = await open({}, { mayChange: false });
  expect(fact("Machine")).toBe("pi · linux arm64");
  expect(page.getByRole("textbox").elements()).toEqual([]);
  expect(page.getByRole("button").elements()).toEqual([button("Close").element()]);
  await userEvent.click(button("Close"));
  await expect.poll(() => closed.length).toBe(1);
});
