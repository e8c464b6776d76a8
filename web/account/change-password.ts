import { LitElement, css, html } from "lit";
import { customElement } from "lit/decorators.js";
import { controls } from "../app/controls.ts";
import { textField } from "../form/fields.ts";
import { FormState } from "../form/form-state.ts";
import { typed } from "../form/values.ts";
import { cardForm, cardStyles } from "./card.ts";
import { newPasswordFields, newPasswordOf } from "./new-password.ts";
import { session } from "./session.ts";

/**
 * Stands before everything else as long as somebody else knows the password.
 *
 * @fires changed when the session knows @fires log-out
 */
@customElement("change-password")
export class ChangePassword extends LitElement {
  static override styles = [
    controls,
    cardStyles,
    css`
      :host {
        display: grid;
        gap: var(--space-3);
      }
    `,
  ];

  readonly #form = new FormState(this);

  override render() {
    const form = this.#form;
    return html`${cardForm(
        form,
        {
          title: "Choose a password of your own",
          intro: "Somebody else gave you the one that you have. Nothing else opens before it is changed.",
          submit: "Change password",
          busy: "Changing…",
        },
        html`<input type="text" name="username" autocomplete="username" hidden .value=${session.me?.username ?? ""} />
          ${textField(form, {
            name: "currentPassword",
            label: "Password that you were given",
            type: "password",
            autocomplete: "current-password",
          })}
          ${newPasswordFields(form, "New password")}`,
        this.#submitted,
      )}<button class="plain" @click=${this.#logOut}>Log out</button>`;
  }

  override firstUpdated(): void {
    this.renderRoot.querySelector<HTMLElement>("#currentPassword")?.focus();
  }

  readonly #logOut = (): void => {
    this.dispatchEvent(new CustomEvent("log-out", { bubbles: true, composed: true }));
  };

  readonly #submitted = (event: SubmitEvent): void => void this.#submit(event);

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const isChanged = await this.#form.submit(async () =>
      session.change({ password: newPasswordOf(data), currentPassword: typed(data, "currentPassword") }),
    );
    if (isChanged) this.dispatchEvent(new CustomEvent("changed"));
  }
}
