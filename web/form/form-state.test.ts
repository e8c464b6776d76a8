import { LitElement, html } from "lit";
import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { CallError } from "../api/call.ts";
import { focused, mounted } from "../fixtures/mounted.ts";
import { checkField, selectField, textField } from "./fields.ts";
import { FormState } from "./form-state.ts";

/** A form of each kind of field, one of them folded away. */
class SampleForm extends LitElement {
  readonly form = new FormState(this);

  override render() {
    const { form } = this;
    return html`<form>
      ${textField(form, { name: "name", label: "Name", hint: "As you call it", required: true })}
      ${textField(form, { name: "mac", label: "MAC address" })}
      ${selectField(form, {
        name: "os",
        label: "Operating system",
        value: "b",
        options: [
          { value: "a", label: "A" },
          { value: "b", label: "B" },
        ],
      })}
      <details>
        <summary>More</summary>
        ${textField(form, { name: "wake.ports", label: "UDP ports" })}
        ${checkField(form, { name: "enabled", label: "Enabled", checked: true })}
      </details>
      <p>${form.problem}</p>
    </form>`;
  }
}
customElements.define("sample-form", SampleForm);

const refusal = (...paths: [path: string, message: string][]) =>
  new CallError(
    "INVALID_INPUT",
    "Some fields are wrong",
    paths.map(([path, message]) => ({ path, message })),
  );

const refused = (error: Error) => async () => {
  throw error;
};

const field = (name: string) => page.getByLabelText(name, { exact: true });

describe("a submission", () => {
  test("is made once, however often the button is pressed", async () => {
    const { form } = await mounted(SampleForm);
    const { promise, resolve } = Promise.withResolvers<void>();
    let times = 0;
    const work = () => {
      times++;
      return promise;
    };
    const first = form.submit(work);
    expect(form.isBusy).toBe(true);
    expect(await form.submit(work)).toBe(false);
    resolve();
    expect(await first).toBe(true);
    expect(times).toBe(1);
    expect(form.isBusy).toBe(false);
  });

  test("that was refused may be made again, and what was wrong is said no longer while it is tried", async () => {
    const { form } = await mounted(SampleForm);
    expect(await form.submit(refused(refusal(["mac", "is missing"])))).toBe(false);
    expect(form.errorAt("mac")).toBeDefined();
    let during: string | undefined;
    expect(await form.submit(async () => void (during = form.errorAt("mac")))).toBe(true);
    expect(during).toBeUndefined();
    expect(form.errorAt("mac")).toBeUndefined();
  });

  test("that fails by a fault of the page itself is not passed over, and the form can be used again", async () => {
    const { form } = await mounted(SampleForm);
    await expect(form.submit(refused(new TypeError("a fault")))).rejects.toThrow("a fault");
    expect(form.isBusy).toBe(false);
  });
});

describe("what is wrong", () => {
  test("stands at its field and is tied to it", async () => {
    const { form } = await mounted(SampleForm);
    await form.submit(refused(refusal(["name", "is longer than 80 characters"], ["mac", "is missing"])));
    await expect.element(field("Name")).toHaveAttribute("aria-invalid", "true");
    await expect.element(field("Name")).toHaveAccessibleDescription(/is longer than 80 characters/);
    await expect.element(field("MAC address")).toHaveAccessibleDescription(/is missing/);
    await expect.element(field("Operating system")).toHaveAttribute("aria-invalid", "false");
  });

  test("is not said a second time for the whole when each field says it", async () => {
    const { form } = await mounted(SampleForm);
    await form.submit(refused(refusal(["name", "is missing"], ["mac", "is missing"])));
    expect(form.problem).toBe("");
  });

  test("with a field that the form does not show is said for the whole", async () => {
    const { form } = await mounted(SampleForm);
    await form.submit(refused(refusal(["name", "is missing"], ["key", "is taken"])));
    expect(form.problem).toBe("Some fields are wrong");
    expect(form.errorAt("name")).toBe("is missing");
  });

  test("with no field at all is said for the whole", async () => {
    const { form } = await mounted(SampleForm);
    await form.submit(refused(new CallError("UNREACHABLE", "The hub cannot be reached.")));
    await expect.element(page.getByText("The hub cannot be reached.")).toBeVisible();
  });

  test("with one of several values stands at the field that holds them", async () => {
    const { form } = await mounted(SampleForm);
    await form.submit(refused(refusal(["wake.ports.1", "is not a port"])));
    await expect.element(field("UDP ports")).toHaveAccessibleDescription(/is not a port/);
    expect(form.errorAt("wake")).toBe("is not a port");
    expect(form.errorAt("wake.port")).toBeUndefined();
  });

  test("has the focus at its first field, unfolded where it was folded away", async () => {
    const { form } = await mounted(SampleForm);
    await form.submit(refused(refusal(["wake.ports.0", "is not a port"])));
    await expect.element(field("UDP ports")).toBeVisible();
    await expect.poll(focused).toBe("wake.ports");
    await form.submit(refused(refusal(["wake.ports.0", "is not a port"], ["mac", "is missing"])));
    await expect.poll(focused).toBe("mac");
  });

  test("is to be seen, folded away or not, wherever the first one stands", async () => {
    const { form } = await mounted(SampleForm);
    await form.submit(refused(refusal(["name", "is missing"], ["wake.ports.0", "is not a port"])));
    await expect.element(field("UDP ports")).toBeVisible();
    await expect.poll(focused).toBe("name");
  });
});

describe("what was typed", () => {
  test("stays when it is refused, and when it is rendered anew", async () => {
    const element = await mounted(SampleForm);
    await userEvent.fill(field("Name"), "NAS");
    await userEvent.selectOptions(field("Operating system"), "a");
    await element.form.submit(refused(refusal(["name", "is taken"])));
    element.requestUpdate();
    await element.updateComplete;
    await expect.element(field("Name")).toHaveValue("NAS");
    await expect.element(field("Operating system")).toHaveValue("a");
  });

  test("is known to be there from the first key on", async () => {
    const { form } = await mounted(SampleForm);
    expect(form.isDirty).toBe(false);
    form.touch();
    expect(form.isDirty).toBe(true);
  });
});
