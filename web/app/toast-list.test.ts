import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { page } from "vitest/browser";
import { mounted } from "../fixtures/mounted.ts";
import { ToastList, toast } from "./toast-list.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
});

const texts = (element: ToastList) =>
  [...(element.shadowRoot?.querySelectorAll("p") ?? [])].map((each) => each.textContent);

test("what happened is shown for a while, read aloud, and goes", async () => {
  const element = await mounted(ToastList);
  toast("NAS is added");
  await element.updateComplete;
  expect(page.getByRole("status").element().textContent !== null && texts(element)).toEqual(["NAS is added"]);
  vi.advanceTimersByTime(6_000);
  await element.updateComplete;
  expect(texts(element)).toEqual(["NAS is added"]);
  vi.advanceTimersByTime(6_000);
  await element.updateComplete;
  expect(texts(element)).toEqual([]);
});

test("the newest come last, each once, and not more are shown than can be read", async () => {
  const element = await mounted(ToastList);
  for (const text of ["1", "2", "3", "4", "5", "5"]) toast(text);
  await element.updateComplete;
  expect(texts(element)).toEqual(["2", "3", "4", "5"]);
});

test("a bad one is told apart", async () => {
  const element = await mounted(ToastList);
  toast("Nothing was deleted", "bad");
  await element.updateComplete;
  expect(element.shadowRoot?.querySelector("p")?.className).toBe("bad");
});

test("one that is shown while a dialog is open stands above it", async () => {
  const element = await mounted(ToastList);
  const dialog = document.createElement("dialog");
  document.body.append(dialog);
  onTestFinished(() => dialog.remove());
  dialog.showModal();
  toast("Nothing was deleted", "bad");
  await element.updateComplete;
  const { left, top, width, height } = element.shadowRoot?.querySelector("p")?.getBoundingClientRect() ?? new DOMRect();
  const atThatPlace = element.shadowRoot?.elementsFromPoint(left + width / 2, top + height / 2);
  const isAbove = element.matches(":popover-open") || atThatPlace?.[0]?.localName === "p";
  expect(isAbove).toBe(true);
});

test("nothing is heard once it has left the page", async () => {
  const element = await mounted(ToastList);
  element.remove();
  toast("late");
  await element.updateComplete;
  expect(texts(element)).toEqual([]);
});
