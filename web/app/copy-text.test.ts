import { expect, onTestFinished, test, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { mounted } from "../fixtures/mounted.ts";
import { CopyText } from "./copy-text.ts";

const button = page.getByRole("button", { name: "Copy the command" });
const status = page.getByRole("status");

/** The browser's clipboard belongs to the whole machine, so the border to it is scripted. */
function clipboard(writeText: (text: string) => Promise<void>): void {
  vi.spyOn(navigator.clipboard, "writeText").mockImplementation(writeText);
  onTestFinished(() => void vi.restoreAllMocks());
}

test("the button copies the text and says that it did, for a moment", async () => {
  const copied: string[] = [];
  clipboard(async (text) => void copied.push(text));
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  await mounted(CopyText, { text: "npm run agent", what: "command" });
  await expect.element(page.getByText("npm run agent")).toBeVisible();
  await userEvent.click(button);
  await expect.element(status).toMatchTextContent("Copied");
  expect(copied).toEqual(["npm run agent"]);
  vi.advanceTimersByTime(5_000);
  await expect.element(status).not.toMatchTextContent("Copied");
});

test("where the browser gives no clipboard, the older way copies the text that is shown", async () => {
  clipboard(() => Promise.reject(new DOMException("denied", "NotAllowedError")));
  const copied: string[] = [];
  const onCopy = () => void copied.push(String(getSelection()));
  document.addEventListener("copy", onCopy);
  onTestFinished(() => document.removeEventListener("copy", onCopy));
  await mounted(CopyText, { text: "npm run agent", what: "command" });
  await userEvent.click(button);
  await expect.element(status).toMatchTextContent("Copied");
  expect(copied.map((text) => text.trim())).toEqual(["npm run agent"]);
});
