import { LitElement, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import { controls } from "../app/controls.ts";
import { textField } from "../form/fields.ts";
import { FormState } from "../form/form-state.ts";
import { typed } from "../form/values.ts";
import { cardForm, cardStyles } from "./card.ts";
import { session } from "./session.ts";

/** @fires logged-in when the session knows the account */
@customElement("login-form")
export class LoginForm extends LitElement {
  static override styles = [controls, cardStyles];

  /** Somebody was logged in, and the session ended. */
  @property({ type: Boolean }) again = false;

  readonly #form = new FormState(this);

  override render() {
    const form = this.#form;
    return cardForm(
      form,
      {
        title: this.again ? "Log in again" : "Log in",
        intro: this.again ? "Your session has ended. What you were doing is still here." : undefined,
        submit: "Log in",
        busy: "Logging in…",
      },
      html`${textField(form, { name: "username", label: "User name", autocomplete: "username", autofocus: true })}
      ${textField(form, {
        name: "password",
        label: "Password",
        type: "password",
        autocomplete: "current-password",
      })}`,
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
    const input = { username: typed(data, "username"), password: typed(data, "password") };
    const isLoggedIn = await this.#form.submit(() => session.logIn(input));
    if (isLoggedIn) this.dispatchEvent(new CustomEvent("logged-in"));
  }
}
