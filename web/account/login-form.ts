import { LitElement, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { UserAnswer } from "#contracts/api/accounts.ts";
import { logIn } from "../api/accounts.ts";
import { controls } from "../app/controls.ts";
import { textField } from "../form/fields.ts";
import { FormState } from "../form/form-state.ts";
import { typed } from "../form/values.ts";
import { brand, cardStyles } from "./card.ts";

/** @fires logged-in with the account */
@customElement("login-form")
export class LoginForm extends LitElement {
  static override styles = [controls, cardStyles];

  /** Somebody was logged in, and the session ended. */
  @property({ type: Boolean }) again = false;

  readonly #form = new FormState(this);

  override render() {
    const form = this.#form;
    return html`<form class="card" novalidate @submit=${this.#submitted}>
      ${brand}
      <h1>Log in${this.again ? " again" : nothing}</h1>
      ${this.again ? html`<p class="quiet">Your session has ended. What you were doing is still here.</p>` : nothing}
      <div class="fields">
        ${textField(form, { name: "username", label: "User name", autocomplete: "username", autofocus: true })}
        ${textField(form, {
          name: "password",
          label: "Password",
          type: "password",
          autocomplete: "current-password",
        })}
      </div>
      ${form.problem ? html`<p class="problem" role="alert">${form.problem}</p>` : nothing}
      <button class="primary" aria-disabled=${form.isBusy ? "true" : "false"}>
        ${form.isBusy ? "Logging in…" : "Log in"}
      </button>
    </form>`;
  }

  override firstUpdated(): void {
    this.renderRoot.querySelector("input")?.focus();
  }

  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    let user: UserAnswer | undefined;
    await this.#form.submit(async () => {
      user = await logIn({ username: typed(data, "username"), password: typed(data, "password") });
    });
    if (user) this.dispatchEvent(new CustomEvent("logged-in", { detail: user }));
  };
}
