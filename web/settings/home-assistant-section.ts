import { LitElement, css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { CleanUpAnswer, ThingState } from "#contracts/api/home-assistant.ts";
import { type ThingFilter, type Things, cleanUp, homeAssistant, sendAgain, things } from "../api/home-assistant.ts";
import { controls } from "../app/controls.ts";
import { toast } from "../app/toast-list.ts";
import { FormState } from "../form/form-state.ts";
import { Live } from "../live/live.ts";
import { Reading } from "../live/reading.ts";
import { CLEARED_WORDS, THING_STATE_WORDS, sentWords } from "../words/home-assistant.ts";
import "./home-assistant-listening.ts";
import "./home-assistant-preview.ts";
import "./home-assistant-thing.ts";
import { sectionStyles } from "./section-styles.ts";

const REFRESH_MS = 5_000;
/** So many are shown at first, and so many more each time. */
const PART = 50;

/** What Home Assistant is told: whether it listens, each thing with its payloads, and what another setting would do. */
@customElement("home-assistant-section")
export class HomeAssistantSection extends LitElement {
  static override styles = [
    controls,
    ...sectionStyles,
    css`
      :host {
        grid-template-columns: minmax(0, 1fr);
      }
      /* its two words stay in a line; on a phone the buttons go below */
      h2 {
        flex-basis: 11rem;
      }
      .things {
        padding: 0 var(--space-4);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface-raised);
        box-shadow: var(--shadow);
      }
      .things > li + li {
        border-top: 1px solid var(--line);
      }
      .find {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(9rem, 14rem);
        gap: var(--space-2);
      }
      @media (max-width: 40rem) {
        .find {
          grid-template-columns: minmax(0, 1fr);
        }
      }
      .cleared {
        overflow-wrap: anywhere;
      }
    `,
  ];

  @state() private filter: ThingFilter = {};
  @state() private pressed: "send" | "clean" | undefined;
  @state() private cleared: CleanUpAnswer["cleared"] | undefined;

  #count = PART;
  readonly #live = new Live(this);
  readonly #form = new FormState(this);
  readonly #overview = new Reading(this, homeAssistant, REFRESH_MS);
  readonly #things = new Reading(this, () => things(this.filter, this.#count), REFRESH_MS);
  readonly #clock = (): number => this.#live.store.nowMs();

  override render() {
    const settings = this.#overview.value?.settings;
    const { problem } = this.#form;
    return html`<header>
        <h2>Home Assistant</h2>
        ${settings?.enabled ? this.#buttons() : nothing}
      </header>
      <p class="quiet">
        Devices, clusters and agents appear in Home Assistant by themselves, as soon as it is connected. This is what it
        is told.
      </p>
      ${problem ? html`<p class="problem" role="alert">${problem}</p>` : nothing}
      ${this.cleared ? clearedList(this.cleared) : nothing}
      ${this.#overview.render(
        (answer) =>
          html`<home-assistant-listening .answer=${answer} .clock=${this.#clock}></home-assistant-listening> ${
              answer.settings.enabled
                ? html`<home-assistant-preview .settings=${answer.settings}></home-assistant-preview>`
                : nothing
            }`,
      )}
      ${this.#find()} ${this.#things.render((found) => this.#list(found))}`;
  }

  #buttons() {
    return html`<div class="actions">
      ${this.#button("clean", "Clean up", "Cleaning up…", async () => {
        this.cleared = await cleanUp();
      })}
      ${this.#button("send", "Send again", "Sending…", async () => toast(sentWords(await sendAgain())))}
    </div>`;
  }

  #button(what: "send" | "clean", label: string, busy: string, work: () => Promise<void>) {
    const isBusy = this.#form.isBusy && this.pressed === what;
    const press = async () => {
      if (this.#form.isBusy) return;
      this.pressed = what;
      this.cleared = undefined;
      await this.#form.submit(work);
      this.#again();
    };
    return html`<button aria-disabled=${isBusy ? "true" : "false"} @click=${press}>${isBusy ? busy : label}</button>`;
  }

  #find() {
    return html`<search class="find">
      <input
        type="search"
        aria-label="Find by name or key"
        placeholder="Find by name or key"
        autocomplete="off"
        @input=${(event: Event) => this.#show({ ...this.filter, q: (event.target as HTMLInputElement).value.trim() })}
      />
      <select aria-label="State" @change=${this.#stateChosen}>
        <option value="">All</option>
        ${Object.entries(THING_STATE_WORDS).map(([value, label]) => html`<option value=${value}>${label}</option>`)}
      </select>
    </search>`;
  }

  #list({ items, total }: Things) {
    if (items.length === 0) return html`<p class="empty" role="status">Nothing fits.</p>`;
    return html`<p class="quiet" role="status">${total === 1 ? "1 thing" : `${total.toLocaleString()} things`}</p>
      <ul class="things" @thing-changed=${this.#again}>
        ${repeat(
          items,
          ({ id }) => id,
          (thing) =>
            html`<li>
              <home-assistant-thing .thing=${thing} .clock=${this.#clock}></home-assistant-thing>
            </li>`,
        )}
      </ul>
      ${items.length < total ? html`<button @click=${this.#more}>Show more</button>` : nothing}`;
  }

  readonly #stateChosen = (event: Event): void => {
    const { state: _former, ...rest } = this.filter;
    const value = (event.target as HTMLSelectElement).value;
    // the options are the states
    this.#show(value === "" ? rest : { ...rest, state: value as ThingState });
  };

  #show(filter: ThingFilter): void {
    this.filter = filter;
    this.#count = PART;
    void this.#things.again();
  }

  readonly #more = (): void => {
    this.#count += PART;
    void this.#things.again();
  };

  readonly #again = (): void => {
    void this.#overview.again();
    void this.#things.again();
  };
}

function clearedList(cleared: CleanUpAnswer["cleared"]) {
  if (cleared.length === 0) return html`<p class="card" role="status">Nothing was left over.</p>`;
  return html`<div class="card cleared" role="status">
    <p>
      ${cleared.length === 1 ? "1 topic was left over and is cleared:" : `${cleared.length} topics were left over and are cleared:`}
    </p>
    <ul class="small">
      ${cleared.map(({ topic, why }) => html`<li><span class="mono">${topic}</span> <span class="quiet">${CLEARED_WORDS[why]}</span></li>`)}
    </ul>
  </div>`;
}
