import { LitElement, html } from "lit";
import { customElement } from "lit/decorators.js";
import type { TokenPermission } from "#contracts/permissions.ts";
import { session } from "../account/session.ts";
import { CallError } from "../api/call.ts";
import { createToken } from "../api/tokens.ts";
import { controls } from "../app/controls.ts";
import { checksField, selectField, textField } from "../form/fields.ts";
import { FormDialog, dialogStyles } from "../form/form-dialog.ts";
import { checkedOf, numberOrNull, textOf } from "../form/values.ts";
import { TOKEN_PERMISSION_WORDS } from "../words/roles.ts";

const LIFETIMES = [
  { value: "30", label: "In 30 days" },
  { value: "90", label: "In 90 days" },
  { value: "365", label: "In a year" },
  { value: "", label: "Never" },
];

/** What most scripts are for. */
const PROPOSED: readonly TokenPermission[] = ["device:read", "device:wake", "cluster:read"];

const PERMISSIONS = Object.keys(TOKEN_PERMISSION_WORDS) as TokenPermission[]; // a record of all of them

/**
 * Makes a personal token.
 *
 * @fires created with the token, before `closed`
 * @fires closed
 */
@customElement("tokens-form")
export class TokensForm extends LitElement {
  static override styles = [controls, ...dialogStyles];

  readonly #dialog = new FormDialog(this);

  override firstUpdated(): void {
    this.#dialog.open();
  }

  override render() {
    const form = this.#dialog.state;
    return this.#dialog.render(
      { title: "Add a token", submit: "Add token", busy: "Adding…" },
      html`${textField(form, {
        name: "name",
        label: "Name",
        placeholder: "e.g. Backup script",
        hint: "So that you know it again.",
        autofocus: true,
        required: true,
      })}
      ${checksField(form, {
        name: "permissions",
        label: "It may",
        hint: "It reaches what you reach: your own things where you may change only these.",
        options: PERMISSIONS.filter((permission) => session.may(permission)).map((value) => ({
          value,
          label: sentenceCase(TOKEN_PERMISSION_WORDS[value]),
        })),
        checked: PROPOSED,
      })}
      ${selectField(form, { name: "expiresInDays", label: "It expires", value: "90", options: LIFETIMES })}`,
      (data) => this.#save(data),
    );
  }

  async #save(data: FormData): Promise<void> {
    const permissions = checkedOf(data, "permissions") as TokenPermission[]; // the values of our own checkboxes
    if (permissions.length === 0)
      throw new CallError("INVALID_INPUT", "A token for nothing is of no use", [
        { path: "permissions", message: "Choose at least one" },
      ]);
    const created = await createToken({
      name: textOf(data, "name"),
      permissions,
      expiresInDays: numberOrNull(data, "expiresInDays"),
    });
    this.dispatchEvent(new CustomEvent("created", { detail: created }));
  }
}

function sentenceCase(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
