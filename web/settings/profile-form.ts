import { LitElement, html, nothing } from "lit";
import { customElement } from "lit/decorators.js";
import type { MeAnswer } from "#contracts/api/accounts.ts";
import { Session } from "../account/session.ts";
import { controls } from "../app/controls.ts";
import { factList, factStyles } from "../app/facts.ts";
import { toast } from "../app/toast-list.ts";
import { changesOf } from "../form/changes.ts";
import { textField } from "../form/fields.ts";
import { FormState } from "../form/form-state.ts";
import { textOrNull } from "../form/values.ts";
import { ROLE_WORDS } from "../words/roles.ts";
import { sectionStyles } from "./section-styles.ts";

/** What the account is called. */
@customElement("profile-form")
export class ProfileForm extends LitElement {
  static override styles = [controls, factStyles, ...sectionStyles];

  readonly #session = new Session(this);
  readonly #form = new FormState(this);

  override render() {
    const { me } = this.#session.store;
    if (!me) return nothing;
    const form = this.#form;
    return html`<form class="card" novalidate @submit=${this.#submitted}>
      ${factList([
        ["User name", me.username],
        [
          "Role",
          me.role
            ? html`${ROLE_WORDS[me.role].label}<br /><span class="quiet small">May ${ROLE_WORDS[me.role].may}</span>`
            : "none yet",
        ],
      ])}
      ${textField(form, {
        name: "fullName",
        label: "Name",
        value: me.fullName ?? "",
        autocomplete: "name",
        hint: "As others see you.",
      })}
      ${textField(form, {
        name: "email",
        label: "E-mail",
        type: "email",
        value: me.email ?? "",
        autocomplete: "email",
      })}
      ${form.problem ? html`<p class="problem" role="alert">${form.problem}</p>` : nothing}
      <div class="actions">
        <button class="primary" aria-disabled=${form.isBusy ? "true" : "false"}>
          ${form.isBusy ? "Saving…" : "Save profile"}
        </button>
      </div>
    </form>`;
  }

  readonly #submitted = (event: SubmitEvent): void => {
    event.preventDefault();
    const { me } = this.#session.store;
    if (me) void this.#save(me, new FormData(event.target as HTMLFormElement));
  };

  async #save({ fullName, email }: MeAnswer, data: FormData): Promise<void> {
    const next = { fullName: textOrNull(data, "fullName"), email: textOrNull(data, "email") };
    const change = changesOf({ fullName, email }, next);
    const isSaved = await this.#form.submit(async () => {
      if (Object.keys(change).length > 0) await this.#session.store.change(change);
    });
    if (isSaved) toast("Your profile is saved");
  }
}
