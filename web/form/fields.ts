import { type TemplateResult, html, nothing } from "lit";
import { ifDefined } from "lit/directives/if-defined.js";
import { repeat } from "lit/directives/repeat.js";
import "./filter-list.ts";
import type { FormState } from "./form-state.ts";

interface Field {
  /** As the hub names it, dots included: an error for `wake.ports.0` stands at `wake.ports`. */
  readonly name: string;
  readonly label: string;
  readonly hint?: string | undefined;
}

interface TextField extends Field {
  readonly value?: string | undefined;
  readonly type?: "text" | "password" | "number" | "email" | "datetime-local" | "time";
  readonly placeholder?: string;
  readonly autocomplete?: string;
  readonly required?: boolean;
  readonly autofocus?: boolean;
  readonly rows?: number;
  readonly mono?: boolean;
  /** The id of what may be chosen from. */
  readonly list?: string;
}

/** A line of text, or several with `rows`. */
export function textField(form: FormState, field: TextField): TemplateResult {
  const { name, value = "", type = "text", placeholder, rows } = field;
  const autocomplete = field.autocomplete ?? "off";
  const shared = describedBy(form, field);
  const control = rows
    ? html`<textarea
        id=${name}
        name=${name}
        rows=${rows}
        .defaultValue=${value}
        aria-invalid=${shared.invalid}
        aria-describedby=${shared.describedBy}
      ></textarea>`
    : html`<input
        id=${name}
        name=${name}
        type=${type}
        class=${field.mono ? "mono" : ""}
        .defaultValue=${value}
        placeholder=${ifDefined(placeholder)}
        list=${ifDefined(field.list)}
        autocomplete=${autocomplete}
        autocapitalize="none"
        spellcheck="false"
        ?autofocus=${field.autofocus ?? false}
        aria-required=${field.required ? "true" : "false"}
        aria-invalid=${shared.invalid}
        aria-describedby=${shared.describedBy}
      />`;
  return framed(form, field, control);
}

/** One of a few. `value: ""` stands for none. */
export function selectField(
  form: FormState,
  field: Field & { readonly value: string; readonly options: readonly { value: string; label: string }[] },
): TemplateResult {
  const { name, value, options } = field;
  const shared = describedBy(form, field);
  const control = html`<select
    id=${name}
    name=${name}
    aria-invalid=${shared.invalid}
    aria-describedby=${shared.describedBy}
  >
    ${repeat(
      options,
      (option) => option.value, // what is chosen belongs to the option, wherever it stands after a change
      (option) => html`<option value=${option.value} ?selected=${option.value === value}>${option.label}</option>`,
    )}
  </select>`;
  return framed(form, field, control);
}

export function checkField(
  form: FormState,
  field: Field & { readonly checked: boolean; readonly value?: string },
): TemplateResult {
  const { name, label, checked, value = "on" } = field;
  const id = value === "on" ? name : `${name}:${value}`;
  const shared = describedBy(form, { ...field, name: id });
  return html`<div class="field check">
    <input
      id=${id}
      name=${name}
      type="checkbox"
      value=${value}
      .defaultChecked=${checked}
      aria-invalid=${shared.invalid}
      aria-describedby=${shared.describedBy}
    />
    <label for=${id}>${label}</label>
    ${notes(form, { ...field, name: id })}
  </div>`;
}

interface Choice {
  readonly value: string;
  readonly label: string;
  readonly hint?: string | undefined;
}

/** Any of some, under one name. @param field.what how they are called where there are many to find one among. */
export function checksField(
  form: FormState,
  field: Field & { readonly what?: string; readonly options: readonly Choice[]; readonly checked: readonly string[] },
): TemplateResult {
  const { name, label, options, checked } = field;
  const shared = describedBy(form, field);
  return html`<fieldset aria-describedby=${shared.describedBy}>
    <legend>${label}</legend>
    <div class="field">${notes(form, field)}</div>
    <filter-list what=${field.what ?? label.toLowerCase()} size=${options.length}
      ><div class="checks">
        ${repeat(
          options,
          ({ value }) => value, // a tick belongs to its choice, wherever it stands after a change
          (option) =>
            html`<div class="field check">
              <input
                id="${name}:${option.value}"
                name=${name}
                type="checkbox"
                value=${option.value}
                .defaultChecked=${checked.includes(option.value)}
                aria-invalid=${shared.invalid}
                aria-describedby=${option.hint ? `${name}:${option.value}-hint` : nothing}
              />
              <label for="${name}:${option.value}">${option.label}</label>
              ${option.hint ? html`<p class="hint" id="${name}:${option.value}-hint">${option.hint}</p>` : nothing}
            </div>`,
        )}
      </div></filter-list
    >
  </fieldset>`;
}

function framed(form: FormState, field: Field, control: TemplateResult): TemplateResult {
  return html`<div class="field">
    <label for=${field.name}>${field.label}</label>
    ${control}${notes(form, field)}
  </div>`;
}

/** What is wrong takes the place of the hint: it is what a person has to read now. */
function notes(form: FormState, { name, hint }: Field) {
  const error = form.errorAt(name);
  if (error !== undefined) return html`<p class="error" id="${name}-note">${sentence(error)}</p>`;
  return hint ? html`<p class="hint" id="${name}-note">${hint}</p>` : nothing;
}

const SAYS_OF_FIELD = /^(?:is|are|has|holds|names|mixes|stands|may|must|can|cannot|belongs) /;

function describedBy(form: FormState, { name, hint }: Field) {
  const isWrong = form.errorAt(name) !== undefined;
  return { invalid: isWrong ? "true" : "false", describedBy: isWrong || hint ? `${name}-note` : nothing };
}

/** The hub says `is missing` of a field; here the message stands at it. Others begin with a name, and stay as they are. */
function sentence(message: string): string {
  return SAYS_OF_FIELD.test(message) ? `This ${message}.` : `${message}.`;
}
