import { html } from "lit";
import { CallError } from "../api/call.ts";
import { textField } from "../form/fields.ts";
import type { FormState } from "../form/form-state.ts";
import { typed } from "../form/values.ts";

const AGAIN = "passwordAgain";

/** A password that nobody sees is typed twice. */
export function newPasswordFields(form: FormState, label: string) {
  return html`<div class="two">
    ${textField(form, {
      name: "password",
      label,
      type: "password",
      autocomplete: "new-password",
      hint: "8 characters or more.",
    })}
    ${textField(form, { name: AGAIN, label: `${label} once more`, type: "password", autocomplete: "new-password" })}
  </div>`;
}

/** @throws CallError when the two differ. */
export function newPasswordOf(data: FormData): string {
  const password = typed(data, "password");
  if (password === typed(data, AGAIN)) return password;
  throw new CallError("INVALID_INPUT", "The passwords differ", [{ path: AGAIN, message: "The two passwords differ" }]);
}
