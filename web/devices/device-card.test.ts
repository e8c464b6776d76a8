import { describe, expect, onTestFinished, test, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { heard, mounted } from "../fixtures/mounted.ts";
import { NOW_MS, device, secondsAgo } from "../fixtures/rows.ts";
import { DeviceCard } from "./device-card.ts";

const clock = () => NOW_MS;
const card = page.getByRole("article", { name: "NAS" });
const wake = card.getByRole("button", { name: /^Wake/ });
const cancel = card.getByRole("button", { name: /Cancel/ });

describe("a device's card", () => {
  test("leads to the device", async () => {
    await mounted(DeviceCard, { mayWake: true, device: device({ key: "nas" as never }), clock });
    await expect.element(card.getByRole("link", { name: "NAS" })).toHaveAttribute("href", "/devices/nas");
  });

  test.each([
    ["off", /^Off since/, "wake"],
    ["unknown", /^Not seen yet$/, "wake"],
    ["unreachable", /^Unreachable/, "wake"],
    ["on", /^On since/, "none"],
    ["waking", /^Waking… 3600 s$/, "cancel"],
    ["stopping", /^Shutting down… 3600 s$/, "none"],
  ] as const)("of one that is %s says so and offers what can be done", async (power, words, offer) => {
    await mounted(DeviceCard, { mayWake: true, device: device({ power }), clock });
    await expect.element(card.getByText(words)).toBeVisible();
    expect(wake.elements()).toHaveLength(offer === "wake" ? 1 : 0);
    expect(cancel.elements()).toHaveLength(offer === "cancel" ? 1 : 0);
  });

  test.each([
    ["that is disabled", { enabled: false }, /Disabled/],
    ["that no agent can wake", { availability: "offline" }, /No agent is online/],
    ["that nobody can see or wake", { power: "unreachable", availability: "offline" }, /No agent is online/],
  ] as const)("of one %s has no button, and says why", async (_what, row, reason) => {
    await mounted(DeviceCard, { mayWake: true, device: device(row), clock });
    await expect.element(card.getByText(reason)).toBeVisible();
    expect(card.getByRole("button").elements()).toEqual([]);
  });

  test.each(["off", "waking", "unreachable"] as const)(
    "of one that is %s says so, and offers nothing to whoever may not wake it",
    async (power) => {
      await mounted(DeviceCard, { device: device({ power, availability: "offline" }), clock });
      await expect.element(card.getByText(/^(Off|Waking|Unreachable)/)).toBeVisible();
      expect(card.getByRole("button").elements()).toEqual([]);
      expect(card.getByText(/agent/).elements()).toEqual([]);
    },
  );

  test("asks for a wake of its device", async () => {
    const nas = device();
    const wakes = heard(await mounted(DeviceCard, { mayWake: true, device: nas, clock }), "wake");
    await userEvent.click(wake);
    expect(wakes).toEqual([nas]);
  });

  test("asks to cancel the wake that runs", async () => {
    const nas = device({ power: "waking" });
    const cancels = heard(await mounted(DeviceCard, { mayWake: true, device: nas, clock }), "cancel-wake");
    await userEvent.click(cancel);
    expect(cancels).toEqual([nas]);
  });

  test("takes the second click of a double click on Wake for no wish to cancel", async () => {
    const element = await mounted(DeviceCard, { mayWake: true, device: device(), clock });
    const cancels = heard(element, "cancel-wake");
    element.addEventListener("wake", () => (element.device = device({ power: "waking" })));
    await userEvent.dblClick(wake);
    expect(cancel.elements()).toHaveLength(1);
    expect(cancels).toEqual([]);
    await userEvent.click(cancel);
    expect(cancels).toHaveLength(1);
  });

  test("keeps the focus where it was while its button changes, and near it when the button goes", async () => {
    const element = await mounted(DeviceCard, { mayWake: true, device: device(), clock });
    const focus = () => element.shadowRoot?.activeElement;
    wake.element().focus();
    element.device = device({ power: "waking" });
    await element.updateComplete;
    expect(focus()).toBe(cancel.element());
    element.device = device({ power: "on" });
    await element.updateComplete;
    expect(focus()).toBe(card.getByRole("link").element());
  });

  test("of one that can be powered off offers that to whoever may, and to keep it on until it goes", async () => {
    const on = device({ power: "on", canPowerOff: true, powerActions: ["shutdown"], watts: 41.7 });
    const element = await mounted(DeviceCard, { mayWake: true, mayPower: true, device: on, clock });
    const [offs, keeps] = [heard(element, "power-off"), heard(element, "cancel-power-off")];
    await expect.element(card.getByText(/^On since .* · 42 W$/)).toBeVisible();
    await userEvent.click(card.getByRole("button", { name: "Power off NAS" }));
    expect(offs).toEqual([on]);
    const powerOff = { id: on.id, action: "shutdown", stage: "announced", until: secondsAgo(-28) } as const;
    element.device = { ...on, powerOff };
    await expect.element(card.getByText("Goes down in 28 s unless somebody there says not now")).toBeVisible();
    await userEvent.click(card.getByRole("button", { name: "Keep on NAS" }));
    expect(keeps).toHaveLength(1);
    element.device = { ...on, power: "stopping", powerOff: { ...powerOff, stage: "acknowledged", until: null } };
    await element.updateComplete;
    expect(card.getByRole("button").elements()).toEqual([]);
    element.device = on;
    element.mayPower = false;
    await element.updateComplete;
    expect(card.getByRole("button").elements()).toEqual([]);
  });

  test("of one that did not wake asks why", async () => {
    const lastWake = { at: secondsAgo(60), outcome: "no-answer", seconds: null, agents: [], by: "anna" } as const;
    const nas = device({ lastWake: { ...lastWake, agents: [] } });
    const asked = heard(await mounted(DeviceCard, { mayWake: true, device: nas, clock }), "doctor");
    await userEvent.click(card.getByRole("button", { name: "Why did NAS not wake?" }));
    expect(asked).toEqual([nas]);
  });

  test("tells the page around it what is asked for", async () => {
    await mounted(DeviceCard, { mayWake: true, device: device(), clock });
    const wakes = heard(document.body, "wake");
    await userEvent.click(wake);
    expect(wakes).toHaveLength(1);
  });

  test("says that the hub is being asked, and asks once", async () => {
    const wakes = heard(await mounted(DeviceCard, { mayWake: true, device: device(), clock, asking: true }), "wake");
    const button = card.getByRole("button");
    await expect.element(button).toMatchTextContent("Asking…");
    await expect.element(button).toHaveAttribute("aria-disabled", "true");
    await userEvent.click(button, { force: true });
    expect(wakes).toEqual([]);
  });

  test("says why the last request was refused, instead of everything else, and lets one try again", async () => {
    await mounted(DeviceCard, { mayWake: true, device: device(), clock, problem: "Every agent is offline" });
    await expect.element(card.getByRole("alert")).toMatchTextContent("Every agent is offline");
    await expect.element(wake).toBeVisible();
  });

  test("changes with its device", async () => {
    const nas = device();
    const element = await mounted(DeviceCard, { mayWake: true, device: nas, clock });
    element.device = { ...nas, power: "on", since: secondsAgo(0) };
    await expect.element(card.getByText(/^On since/)).toBeVisible();
    expect(wake.elements()).toEqual([]);
  });

  test("is empty without a device", async () => {
    const element = await mounted(DeviceCard);
    expect(element.shadowRoot?.textContent?.trim()).toBe("");
  });
});

describe("the seconds of a wake", () => {
  test("run by the hub's clock, until the device is on", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    let nowMs = NOW_MS;
    const nas = device({ power: "waking", since: secondsAgo(0) });
    const element = await mounted(DeviceCard, { mayWake: true, device: nas, clock: () => nowMs });
    for (const second of [1, 2, 3]) {
      nowMs += 1_000;
      vi.advanceTimersByTime(1_000);
      await element.updateComplete;
      expect(element.shadowRoot?.textContent).toContain(`Waking… ${second} s`);
    }
    element.device = { ...nas, power: "on", since: new Date(nowMs).toISOString() };
    await element.updateComplete;
    expect(vi.getTimerCount()).toBe(0);
  });

  test("stop when the card leaves the page, and go on when it comes back", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const element = await mounted(DeviceCard, { mayWake: true, device: device({ power: "waking" }), clock });
    expect(vi.getTimerCount()).toBe(1);
    element.remove();
    expect(vi.getTimerCount()).toBe(0);
    document.body.append(element);
    expect(vi.getTimerCount()).toBe(1);
  });
});
