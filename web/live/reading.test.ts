import { LitElement, html } from "lit";
import { customElement } from "lit/decorators.js";
import { expect, onTestFinished, test, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { CallError } from "../api/call.ts";
import { mounted } from "../fixtures/mounted.ts";
import { Reading } from "./reading.ts";

/** What each reading is told, in order; the last one again and again. */
let answers: (() => Promise<string>)[] = [];
let readings = 0;

@customElement("reading-element")
class ReadingElement extends LitElement {
  readonly reading = new Reading(this, read, 5_000);

  override render() {
    return this.reading.render((value) => html`<p>It says ${value}</p>`);
  }
}

function read(): Promise<string> {
  const answer = answers[Math.min(readings++, answers.length - 1)];
  if (!answer) throw new Error("nothing was scripted");
  return answer();
}

async function open(...scripted: (() => Promise<string>)[]) {
  answers = scripted;
  readings = 0;
  return await mounted(ReadingElement);
}

const says = (words: string) => () => Promise.resolve(words);
const refuses = (words: string) => () => Promise.reject(new CallError("UNREACHABLE", words));

test("says that it reads, and then what it read", async () => {
  let answer: (value: string) => void = () => {};
  await open(() => new Promise((resolve) => (answer = resolve)));
  await expect.element(page.getByRole("status")).toMatchTextContent("Loading…");
  answer("hello");
  await expect.element(page.getByText("It says hello")).toBeVisible();
});

test("says why nothing could be read, and can be told to try again", async () => {
  await open(refuses("The hub is away"), says("hello"));
  await expect.element(page.getByRole("alert")).toMatchTextContent(/The hub is away/);
  await userEvent.click(page.getByRole("button", { name: "Try again" }));
  await expect.element(page.getByText("It says hello")).toBeVisible();
  expect(page.getByRole("alert").elements()).toEqual([]);
});

test("keeps what it read when it cannot be read again", async () => {
  const element = await open(says("hello"), refuses("The hub is away"));
  await expect.element(page.getByText("It says hello")).toBeVisible();
  await element.reading.again();
  await expect.element(page.getByRole("alert")).toMatchTextContent(/The hub is away/);
  await expect.element(page.getByText("It says hello")).toBeVisible();
});

test("shows no answer that a later one overtook", async () => {
  let late: (value: string) => void = () => {};
  const element = await open(() => new Promise((resolve) => (late = resolve)), says("new"));
  await element.reading.again();
  late("old");
  await expect.element(page.getByText("It says new")).toBeVisible();
  expect(page.getByText("It says old").elements()).toEqual([]);
});

test("reads every so often while it is on the page, and once somebody logged in again", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const element = await open(says("hello"));
  expect(readings).toBe(1);
  vi.advanceTimersByTime(5_000);
  expect(readings).toBe(2);
  globalThis.dispatchEvent(new Event("logged-in-again"));
  expect(readings).toBe(3);
  element.remove();
  expect(vi.getTimerCount()).toBe(0);
  globalThis.dispatchEvent(new Event("logged-in-again"));
  expect(readings).toBe(3);
});
