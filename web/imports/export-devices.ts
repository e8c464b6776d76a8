import { LitElement, css, html } from "lit";
import { customElement } from "lit/decorators.js";
import { devicesFile } from "../api/imports.ts";
import { controls } from "../app/controls.ts";
import { save } from "../app/save.ts";
import { toast } from "../app/toast-list.ts";
import { FormDialog, dialogStyles } from "../form/form-dialog.ts";
import { typed } from "../form/values.ts";
import { EXPORT_FORMATS } from "./words.ts";

/**
 * The devices of the site, as a file for a spreadsheet or another program.
 *
 * @fires closed
 */
@customElement("export-devices")
export class ExportDevices extends LitElement {
  static override styles = [
    controls,
    ...dialogStyles,
    css`
      .choice {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        column-gap: var(--space-3);
      }
      .choice p {
        grid-column: 2;
      }
      input[type="radio"] {
        appearance: auto;
        width: 1.125rem;
        min-height: 1.125rem;
        margin: 0.2rem 0 0;
        accent-color: var(--accent);
      }
    `,
  ];

  readonly #dialog = new FormDialog(this);

  override firstUpdated(): void {
    this.#dialog.open();
  }

  override render() {
    return this.#dialog.render(
      { title: "Export devices", submit: "Export", busy: "Exporting…" },
      html`<fieldset>
        <legend>Format</legend>
        ${EXPORT_FORMATS.map(
          ({ value, label, hint }, index) =>
            html`<div class="choice">
              <input
                id=${value}
                type="radio"
                name="format"
                value=${value}
                aria-describedby="${value}-hint"
                ?checked=${index === 0}
              />
              <label for=${value}>${label}</label>
              <p class="quiet small" id="${value}-hint">${hint}</p>
            </div>`,
        )}
      </fieldset>`,
      (data) => this.#export(typed(data, "format")),
    );
  }

  async #export(chosen: string): Promise<void> {
    const format = EXPORT_FORMATS.find(({ value }) => value === chosen);
    if (!format) return;
    save(await devicesFile(format.value), format.fileName);
    toast(`${format.fileName} is among your downloads`);
    this.#dialog.state.isDirty = false;
  }
}
