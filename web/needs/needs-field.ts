import { mdiClose } from "@mdi/js";
import { type LitElement, css, html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Need } from "#contracts/needs.ts";
import { icon } from "../app/icon.ts";
import { selectField, textField } from "../form/fields.ts";
import type { FormState } from "../form/form-state.ts";
import { numberOrNull } from "../form/values.ts";
import { byName } from "../words/by-name.ts";

const READY = [
  { value: "on", label: "it is seen on" },
  { value: "tcp", label: "a TCP port answers" },
] as const;

/** A device that may be needed. */
interface Row {
  readonly id: string;
  readonly name: string;
}

/** The part of a form that says which devices have to be up first, and when they count as ready. */
export class NeedsField {
  readonly #host: LitElement;
  readonly #form: FormState;
  #before: readonly Need[] = [];
  #needs: readonly Need[] = [];

  constructor(host: LitElement, form: FormState) {
    this.#host = host;
    this.#form = form;
  }

  /** Call it when the form comes on the page. */
  open(needs: readonly Need[]): void {
    this.#before = needs;
    this.#needs = needs;
  }

  /** @param rows the devices that may be chosen, without the edited one. */
  render(legend: string, hint: string, rows: readonly Row[]) {
    const nameOf = new Map(rows.map(({ id, name }) => [id, name]));
    const others = rows.filter(({ id }) => !this.#needs.some(({ deviceId }) => deviceId === id)).toSorted(byName);
    return html`<fieldset>
      <legend>${legend}</legend>
      <p class="quiet small">${hint}</p>
      ${repeat(
        this.#needs,
        ({ deviceId }) => deviceId, // what is typed belongs to its device, wherever it stands after a change
        (need, index) => this.#need(need, index, nameOf.get(need.deviceId) ?? "a device that is not here"),
      )}
      ${others.length > 0 ? this.#invitation(others) : nothing}
    </fieldset>`;
  }

  /** What a person changed here. */
  changes(data: FormData): { dependsOn?: Need[] } {
    const next = this.#needs.map(({ deviceId, ready }, index): Need => {
      if (ready.type === "on") return { deviceId, ready };
      return { deviceId, ready: { type: "tcp", port: numberOrNull(data, portOf(index)) as number } }; // the hub names one that is none
    });
    return JSON.stringify(next) === JSON.stringify(this.#before) ? {} : { dependsOn: next };
  }

  #need({ deviceId, ready }: Need, index: number, name: string) {
    return html`<div class="need">
      <div @change=${(event: Event) => this.#readyChosen(deviceId, event)}>
        ${selectField(this.#form, {
          name: `dependsOn.${index}.ready.type`,
          label: `${name} is ready when`,
          value: ready.type,
          options: READY,
        })}
      </div>
      ${
        ready.type === "tcp"
          ? textField(this.#form, {
              name: portOf(index),
              label: "Port",
              value: ready.port > 0 ? String(ready.port) : "",
              placeholder: "e.g. 22",
              mono: true,
            })
          : nothing
      }
      <button
        type="button"
        class="plain icon-only"
        aria-label="Do not need ${name}"
        @click=${() => this.#set(this.#needs.filter((each) => each.deviceId !== deviceId))}
      >
        ${icon(mdiClose)}
      </button>
    </div>`;
  }

  #invitation(others: readonly Row[]) {
    const error = this.#form.errorAt("dependsOn");
    return html`<div class="field">
      <select
        name="dependsOn"
        aria-label="Add a device that has to be up first"
        aria-invalid=${error === undefined ? "false" : "true"}
        aria-describedby=${error === undefined ? nothing : "dependsOn-note"}
        @change=${this.#invited}
      >
        <option value="">Add a device…</option>
        ${repeat(
          others,
          ({ id }) => id,
          ({ id, name }) => html`<option value=${id}>${name}</option>`,
        )}
      </select>
      ${error === undefined ? nothing : html`<p class="error" id="dependsOn-note">${error}</p>`}
    </div>`;
  }

  readonly #invited = (event: Event): void => {
    const select = event.target as HTMLSelectElement;
    if (select.value !== "") this.#set([...this.#needs, { deviceId: select.value, ready: { type: "on" } }]);
    select.value = "";
  };

  #readyChosen(deviceId: string, event: Event): void {
    const ready: Need["ready"] =
      (event.target as HTMLSelectElement).value === "tcp" ? { type: "tcp", port: 0 } : { type: "on" };
    this.#set(this.#needs.map((each) => (each.deviceId === deviceId ? { deviceId, ready } : each)));
  }

  #set(needs: readonly Need[]): void {
    this.#needs = needs;
    this.#form.touch();
    this.#host.requestUpdate();
  }
}

function portOf(index: number): string {
  return `dependsOn.${index}.ready.port`;
}

export const needsStyles = css`
  .need {
    display: grid;
    grid-template-columns: minmax(0, 1fr) minmax(0, 6rem) auto;
    align-items: end;
    gap: var(--space-2);
  }
  .need > :first-child:nth-last-child(2) {
    grid-column: 1 / 3;
  }
`;
