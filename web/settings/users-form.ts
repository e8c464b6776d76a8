import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { UserAnswer } from "#contracts/api/accounts.ts";
import type { Role } from "#contracts/rights.ts";
import { Session } from "../account/session.ts";
import { changeUser, createUser, deleteUser, userNames } from "../api/users.ts";
import { controls } from "../app/controls.ts";
import { changesOf } from "../form/changes.ts";
import { DeleteButton } from "../form/delete-button.ts";
import { checkField, selectField, textField } from "../form/fields.ts";
import { FormDialog, dialogStyles } from "../form/form-dialog.ts";
import { isChecked, textOf, textOrNull, typed } from "../form/values.ts";
import { Reading } from "../live/reading.ts";
import { ROLE_WORDS } from "../words/roles.ts";
import { rolesToGive } from "./users.rules.ts";

interface Fields {
  readonly email: string | null;
  readonly fullName: string | null;
  readonly role: Role | null;
  readonly enabled: boolean;
}

const NEW: Fields = { email: null, fullName: null, role: "user", enabled: true };

/**
 * Makes an account, or changes the one it is given, as far as one may.
 *
 * @fires closed
 */
@customElement("users-form")
export class UsersForm extends LitElement {
  static override styles = [
    controls,
    ...dialogStyles,
    css`
      summary {
        padding: var(--space-1) 0;
        color: var(--accent);
        cursor: pointer;
      }
      details > .fields {
        padding-top: var(--space-2);
      }
      footer .fill:has(.field) {
        flex-basis: 100%;
      }
      footer .field {
        padding-top: var(--space-3);
      }
    `,
  ];

  @property({ attribute: false }) user: UserAnswer | undefined;
  /** What is chosen at the moment. */
  @state() private chosenRole: Role | null = NEW.role;

  readonly #session = new Session(this);
  readonly #dialog = new FormDialog(this);
  readonly #delete = new DeleteButton(this, this.#dialog);
  readonly #everybody = new Reading(this, userNames);
  #before: Fields = NEW;

  override connectedCallback(): void {
    super.connectedCallback();
    if (!this.user) return;
    const { email, fullName, role, enabled } = this.user;
    this.#before = { email, fullName, role, enabled };
    this.chosenRole = role;
  }

  override firstUpdated(): void {
    this.#dialog.open();
  }

  override render() {
    const { user } = this;
    const words = user
      ? { title: `Edit ${user.username}`, submit: "Save", busy: "Saving…" }
      : { title: "Add a user", submit: "Add user", busy: "Adding…" };
    return this.#dialog.render(
      words,
      html`${user ? nothing : this.#nameField()} ${this.#sharedFields()} ${user ? this.#reset() : this.#password()}`,
      (data) => (user ? this.#change(user, data) : this.#create(data)),
      user && { button: this.#deleteButton(user), isAsking: this.#delete.isAsking },
    );
  }

  #nameField() {
    return textField(this.#dialog.state, {
      name: "username",
      label: "User name",
      hint: "For logging in. It stays as it is.",
      autofocus: true,
      required: true,
    });
  }

  #sharedFields() {
    const form = this.#dialog.state;
    const { fullName, email, role, enabled } = this.#before;
    return html`<div class="two">
        ${textField(form, { name: "fullName", label: "Name", value: fullName ?? "" })}
        ${textField(form, { name: "email", label: "E-mail", type: "email", value: email ?? "" })}
      </div>
      <div @change=${this.#roleChosen}>
        ${selectField(form, {
          name: "role",
          label: "Role",
          value: role ?? "",
          options: this.#roles(),
          hint: this.chosenRole ? `May ${ROLE_WORDS[this.chosenRole].may}` : "Sees nothing of this site.",
        })}
      </div>
      ${checkField(form, {
        name: "enabled",
        label: "Enabled",
        checked: enabled,
        hint: "Who is not can do nothing, and is logged out at once.",
      })}`;
  }

  #roles() {
    const { me } = this.#session.store;
    const given = (me ? rolesToGive(me) : []).map((role) => ({
      value: role,
      label: ROLE_WORDS[role].label,
    }));
    const isOutsider = this.user?.role === null;
    const mayBeOutside = this.user && me?.role === "superuser" && me.sites.length > 1;
    return isOutsider || mayBeOutside ? [...given, { value: "", label: "Not in this site" }] : given;
  }

  readonly #roleChosen = (event: Event): void => {
    this.chosenRole = ((event.target as HTMLSelectElement).value || null) as Role | null; // the values of our own select
  };

  #password() {
    const form = this.#dialog.state;
    return html`${textField(form, {
      name: "password",
      label: "Password",
      mono: true,
      hint: "8 characters or more, shown as you type since you hand it on. Tell it to them by a way that nobody else reads.",
    })}
    ${checkField(form, { name: "mustChangePassword", label: "Has to choose another at the first log-in", checked: true })}`;
  }

  #reset() {
    const form = this.#dialog.state;
    return html`<details>
      <summary>Reset the password</summary>
      <div class="fields">
        ${textField(form, {
          name: "password",
          label: "New password",
          mono: true,
          hint: "Leave it empty to keep the one they have. A new one ends all their sessions.",
        })}
        ${checkField(form, {
          name: "mustChangePassword",
          label: "Has to choose another at the next log-in",
          checked: true,
        })}
      </div>
    </details>`;
  }

  #deleteButton(user: UserAnswer) {
    const heirs = (this.#everybody.value ?? []).filter(({ id }) => id !== user.id);
    const heirField = selectField(this.#dialog.state, {
      name: "heir",
      label: "Devices and clusters of theirs go to",
      value: "",
      options: [
        { value: "", label: "Nobody; admins look after them" },
        ...heirs.map(({ id, username, fullName }) => ({ value: id, label: fullName ?? username })),
      ],
    });
    return this.#delete.render({
      name: user.username,
      label: "Delete user",
      question: html`Delete ${user.username}? Their sessions and tokens end at once. ${heirField}`,
      work: () => deleteUser(user.id, this.#chosenHeir()),
    });
  }

  #chosenHeir(): string | null {
    return this.renderRoot.querySelector<HTMLSelectElement>("#heir")?.value || null;
  }

  async #create(data: FormData): Promise<void> {
    await createUser({
      username: textOf(data, "username"),
      password: typed(data, "password"),
      mustChangePassword: isChecked(data, "mustChangePassword"),
      ...fieldsOf(data),
      role: fieldsOf(data).role ?? "user",
    });
  }

  async #change(user: UserAnswer, data: FormData): Promise<void> {
    const password = typed(data, "password");
    const change = {
      ...changesOf(this.#before, fieldsOf(data)),
      ...(password && { password, mustChangePassword: isChecked(data, "mustChangePassword") }),
    };
    if (Object.keys(change).length > 0) await changeUser(user.id, change);
  }
}

function fieldsOf(data: FormData): Fields {
  return {
    email: textOrNull(data, "email"),
    fullName: textOrNull(data, "fullName"),
    role: textOrNull(data, "role") as Role | null, // the values of our own select
    enabled: isChecked(data, "enabled"),
  };
}
