import { LitElement, html } from "lit";
import { customElement } from "lit/decorators.js";
import { setUp } from "../api/accounts.ts";
import { CallError } from "../api/call.ts";
import { controls } from "../app/controls.ts";
import { textField } from "../form/fields.ts";
import { FormState } from "../form/form-state.ts";
import { typed } from "../form/values.ts";
import { cardForm, cardStyles } from "./card.ts";
import { newPasswordFields, newPasswordOf } from "./new-password.ts";
import { session } from "./session.ts";

/**
 * Makes the first account of a new hub, and logs it in.
 *
 * @fires set-up when the session knows the account
 */
@customElement("setup-form")
export class SetupForm extends LitElement {
  static override styles = [controls, cardStyles];

  readonly #form = new FormState(this);

  override render() {
    const form = this.#form;
    return cardForm(
      form,
      {
        title: "Welcome",
        intro: "This hub is new. Make the first account; it may do everything.",
        submit: "Make the account",
        busy: "Making the account…",
      },
      html`${textField(form, {
        name: "setupCode",
        label: "Set-up code",
        hint: "The hub printed it when it started, so that only its owner can do this.",
        autofocus: true,
        mono: true,
      })}
      ${textField(form, { name: "username", label: "User name", autocomplete: "username" })}
      ${newPasswordFields(form, "Password")}`,
      this.#submitted,
    );
  }

  override firstUpdated(): void {
    this.renderRoot.querySelector("input")?.focus();
  }

  readonly #submitted = (event: SubmitEvent): void => void this.#submit(event);

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const [setupCode, username] = [typed(data, "setupCode"), typed(data, "username")];
    const isSetUp = await this.#form.submit(async () => {
      const password = newPasswordOf(data);
      await setUpOnce({ setupCode, username, password });
      await session.logIn({ username, password });
    });
    if (isSetUp) this.dispatchEvent(new CustomEvent("set-up"));
  }
}

/** Where only the log-in after it failed, the set-up is through, and the same button tries the log-in again. */
async function setUpOnce(input: Parameters<typeof setUp>[0]): Promise<void> {
  try {
    await setUp(input);
  } catch (error) {
    if (!(error instanceof CallError && error.code === "SETUP_COMPLETE")) throw error;
  }
}
