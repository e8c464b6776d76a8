import { LitElement, html, nothing } from "lit";
import { customElement } from "lit/decorators.js";
import { newPasswordFields, newPasswordOf } from "../account/new-password.ts";
import { Session } from "../account/session.ts";
import { controls } from "../app/controls.ts";
import { toast } from "../app/toast-list.ts";
import { textField } from "../form/fields.ts";
import { FormState } from "../form/form-state.ts";
import { typed } from "../form/values.ts";
import { sectionStyles } from "./section-styles.ts";

/** Changes the account's password, or gives it its first one. */
@customElement("profile-password")
export class ProfilePassword extends LitElement {
  static override styles = [controls, ...sectionStyles];

  readonly #session = new Session(this);
  readonly #form = new FormState(this);

  override render() {
    const { me } = this.#session.store;
    if (!me) return nothing;
    const form = this.#form;
    return html`<form class="card" novalidate aria-labelledby="title" @submit=${this.#submitted}>
      <h3 id="title">Password</h3>
      <p class="quiet">
        ${
          me.hasPassword
            ? "When it changes, every other session of yours ends. Tokens stay."
            : "You log in by a provider alone. With a password you can log in here, too."
        }
      </p>
      <input type="text" name="username" autocomplete="username" hidden .value=${me.username} />
      ${
        me.hasPassword
          ? textField(form, {
              name: "currentPassword",
              label: "Current password",
              type: "password",
              autocomplete: "current-password",
            })
          : nothing
      }
      ${newPasswordFields(form, "New password")}
      ${form.problem ? html`<p class="problem" role="alert">${form.problem}</p>` : nothing}
      <div class="actions">
        <button class="primary" aria-disabled=${form.isBusy ? "true" : "false"}>${this.#buttonWords(me)}</button>
      </div>
    </form>`;
  }

  #buttonWords({ hasPassword }: { readonly hasPassword: boolean }): string {
    if (this.#form.isBusy) return "Changing…";
    return hasPassword ? "Change password" : "Set password";
  }

  readonly #submitted = (event: SubmitEvent): void => void this.#submit(event);

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const data = new FormData(form);
    const isChanged = await this.#form.submit(async () =>
      this.#session.store.change({
        password: newPasswordOf(data),
        ...(data.has("currentPassword") && { currentPassword: typed(data, "currentPassword") }),
      }),
    );
    if (!isChanged) return;
    form.reset();
    toast("Your password is changed; your other sessions have ended");
  }
}
