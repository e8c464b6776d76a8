import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { HomeAssistantAnswer, PreviewAnswer } from "#contracts/api/home-assistant.ts";
import type { DiscoveryFormat } from "#contracts/discovery.ts";
import { preview } from "../api/home-assistant.ts";
import { controls } from "../app/controls.ts";
import "../app/copy-text.ts";
import { selectField, textField } from "../form/fields.ts";
import { FormState } from "../form/form-state.ts";
import { typed } from "../form/values.ts";
import { FORMAT_WORDS } from "../words/home-assistant.ts";
import { outcome, outcomeStyles } from "./home-assistant-outcome.ts";
import { sectionStyles } from "./section-styles.ts";

const FORMATS = Object.entries(FORMAT_WORDS).map(([value, label]) => ({ value, label }));

/** What another format or prefix would publish and clear, and which settings of the hub make it so. */
@customElement("home-assistant-preview")
export class HomeAssistantPreview extends LitElement {
  static override styles = [
    controls,
    ...sectionStyles,
    outcomeStyles,
    css`
      .card {
        display: block;
      }
      .card > summary {
        font-weight: 600;
      }
      form {
        margin-top: var(--space-3);
      }
      .result {
        display: grid;
        gap: var(--space-2);
      }
    `,
  ];

  @property({ attribute: false }) settings: HomeAssistantAnswer["settings"] | undefined;
  @state() private answer: PreviewAnswer | undefined;

  readonly #form = new FormState(this);

  override render() {
    if (!this.settings) return nothing;
    const { format, prefix } = this.settings;
    const form = this.#form;
    return html`<details class="card">
      <summary>Try another format or prefix</summary>
      <form class="fields" novalidate @submit=${this.#submitted} @input=${() => (this.answer = undefined)}>
        <div class="two">
          ${selectField(form, {
            name: "format",
            label: "Format",
            value: format,
            options: FORMATS,
            hint: "One for each entity is for Domoticz, ioBroker and older openHAB.",
          })}
          ${textField(form, {
            name: "prefix",
            label: "Discovery prefix",
            value: prefix,
            mono: true,
            hint: "As in Home Assistant's MQTT integration.",
          })}
        </div>
        ${form.problem ? html`<p class="problem" role="alert">${form.problem}</p>` : nothing}
        ${this.answer ? this.#result(this.answer) : nothing}
        <div class="actions">
          <p class="fill quiet small">Nothing is changed by looking.</p>
          <button aria-disabled=${form.isBusy ? "true" : "false"}>${form.isBusy ? "Looking…" : "Preview"}</button>
        </div>
      </form>
    </details>`;
  }

  #result(answer: PreviewAnswer) {
    const isMoved = answer.settings.some(({ name }) => name === "HA_DISCOVERY_PREFIX");
    return html`<div class="result">
      ${outcome(answer)}
      ${
        answer.settings.length > 0
          ? html`<p>To make it so, set this for the hub and start it again:</p>
              ${answer.settings.map(
                ({ name, value }) => html`<copy-text what=${name} .text=${`${name}=${value}`}></copy-text>`,
              )}
              ${isMoved ? html`<p>Then press “Clean up”: it clears what stands under the former prefix.</p>` : nothing}`
          : nothing
      }
    </div>`;
  }

  readonly #submitted = (event: SubmitEvent): void => void this.#look(event);

  async #look(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    // the options are those of the contract
    const change = { format: typed(data, "format") as DiscoveryFormat, prefix: typed(data, "prefix") };
    await this.#form.submit(async () => {
      this.answer = await preview(change);
    });
  }
}
