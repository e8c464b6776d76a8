import { LitElement, html } from "lit";
import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { CallError } from "../api/call.ts";
import { focused, heard, mounted } from "../fixtures/mounted.ts";
import { textField } from "./fields.ts";
import { FormDialog } from "./form-dialog.ts";
import { textOf } from "./values.ts";

/** A dialog with one field; a test says what becomes of what it submits. */
class SampleDialog extends LitElement {
  work: (name: string) => Promise<void> = async () => {};
  readonly #dialog = new FormDialog(this);

  override firstUpdated(): void {
    this.#dialog.open();
  }

  override render() {
    return this.#dialog.render(
      { title: "Add a thing", submit: "Add", busy: "Adding…" },
      html`${textField(this.#dialog.state, { name: "name", label: "Name", autofocus: true })}`,
      (data) => this.work(textOf(data, "name")),
    );
  }
}
customElements.define("sample-dialog", SampleDialog);

const dialog = page.getByRole("dialog", { name: "Add a thing" });
const name = page.getByLabelText("Name");
const button = (label: string) => page.getByRole("button", { name: label, exact: true });
const question = page.getByText(/Discard what you typed/);

async function openDialog(work?: (name: string) => Promise<void>) {
  const element = await mounted(SampleDialog, work ? { work } : {});
  const closed = heard(element, "closed");
  return { element, isClosed: () => closed.length > 0 };
}

test.each([
  ["is taken already", "This is taken already."],
  ["no-such-host.invalid cannot be reached", "no-such-host.invalid cannot be reached."],
  ["The issuer is missing", "The issuer is missing."],
])("what the hub says of a field, “%s”, stands there as a sentence", async (message, sentence) => {
  await openDialog(() => {
    throw new CallError("INVALID_INPUT", "", [{ path: "name", message }]);
  });
  await userEvent.click(button("Add"));
  await expect.element(page.getByText(sentence, { exact: true })).toBeVisible();
});

describe("a form in a dialog", () => {
  test("begins in its first field", async () => {
    await openDialog();
    await expect.element(dialog).toBeVisible();
    await expect.poll(focused).toBe("name");
  });

  test("submits by Enter what was typed, and closes when that is done", async () => {
    const taken: string[] = [];
    const { isClosed } = await openDialog(async (typed) => void taken.push(typed));
    await userEvent.fill(name, " NAS ");
    await userEvent.keyboard("{Enter}");
    await expect.poll(isClosed).toBe(true);
    expect(taken).toEqual(["NAS"]);
  });

  test("stays open with what was typed when it is refused, and says why", async () => {
    const { isClosed } = await openDialog(async () => {
      throw new CallError("UNREACHABLE", "The hub cannot be reached.");
    });
    await userEvent.fill(name, "NAS");
    await userEvent.click(button("Add"));
    await expect.element(page.getByRole("alert")).toMatchTextContent("The hub cannot be reached.");
    await expect.element(name).toHaveValue("NAS");
    await expect.element(button("Add")).toBeVisible();
    expect(isClosed()).toBe(false);
  });
});

describe("leaving it", () => {
  test.each([
    ["Escape", () => userEvent.keyboard("{Escape}")],
    ["Cancel", () => userEvent.click(button("Cancel"))],
    ["its cross", () => userEvent.click(button("Close"))],
  ])("by %s closes it at once when nothing was typed", async (_way, leave) => {
    const { isClosed } = await openDialog();
    await expect.poll(focused).toBe("name");
    await leave();
    await expect.poll(isClosed).toBe(true);
  });

  test.each([
    ["Escape", () => userEvent.keyboard("{Escape}")],
    ["Cancel", () => userEvent.click(button("Cancel"))],
    ["its cross", () => userEvent.click(button("Close"))],
  ])("by %s asks first when something was typed", async (_way, leave) => {
    const { isClosed } = await openDialog();
    await userEvent.fill(name, "NAS");
    await leave();
    await expect.element(question).toBeVisible();
    expect(isClosed()).toBe(false);
    await userEvent.click(button("Keep editing"));
    await expect.element(question).not.toBeInTheDocument();
    await expect.element(name).toHaveValue("NAS");
    await leave();
    await userEvent.click(button("Discard"));
    await expect.poll(isClosed).toBe(true);
  });

  test("is not possible while the hub is asked, however often somebody tries", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { isClosed } = await openDialog(() => promise);
    await userEvent.fill(name, "NAS");
    await userEvent.click(button("Add"));
    await expect.element(button("Adding…")).toHaveAttribute("aria-disabled", "true");
    for (let times = 0; times < 3; times++) await userEvent.keyboard("{Escape}");
    await userEvent.click(button("Cancel"));
    await expect.element(dialog).toBeVisible();
    await expect.element(question).not.toBeInTheDocument();
    expect(isClosed()).toBe(false);
    resolve();
    await expect.poll(isClosed).toBe(true);
  });

  test("by Escape twice does not lose what was typed without a word", async () => {
    const { isClosed } = await openDialog();
    await userEvent.fill(name, "NAS");
    await userEvent.keyboard("{Escape}");
    await expect.element(question).toBeVisible();
    await userEvent.keyboard("{Escape}");
    await expect.element(name).toHaveValue("NAS");
    expect(isClosed()).toBe(false);
  });
});
