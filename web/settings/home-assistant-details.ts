import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { PreviewAnswer, ThingAnswer, ThingConfig } from "#contracts/api/home-assistant.ts";
import { preview, sendAgain, showThing, thingDetails } from "../api/home-assistant.ts";
import { controls } from "../app/controls.ts";
import "../app/copy-text.ts";
import { toast } from "../app/toast-list.ts";
import { FormState } from "../form/form-state.ts";
import { Reading } from "../live/reading.ts";
import { sentWords } from "../words/home-assistant.ts";
import { outcome, outcomeStyles } from "./home-assistant-outcome.ts";
import "./home-assistant-payload.ts";
import { sectionStyles } from "./section-styles.ts";

/**
 * What Home Assistant is told of one thing, and what can be done about it.
 *
 * @fires thing-changed when it was sent, hidden or shown
 */
@customElement("home-assistant-details")
export class HomeAssistantDetails extends LitElement {
  static override styles = [
    controls,
    ...sectionStyles,
    outcomeStyles,
    css`
      :host,
      .config {
        grid-template-columns: minmax(0, 1fr);
      }
      :host {
        gap: var(--space-3);
        padding: 0 0 var(--space-4) calc(1.25 * var(--size-text) + var(--space-3));
      }
      .config,
      .question {
        display: grid;
        gap: var(--space-2);
      }
      .question {
        padding: var(--space-3);
        border: 1px solid var(--line);
        border-radius: var(--radius-small);
      }
      @media (max-width: 40rem) {
        :host {
          padding-left: 0;
        }
      }
    `,
  ];

  @property({ attribute: false }) thing: ThingAnswer | undefined;
  /** What hiding it, or showing it again, would do; before a person agrees to it. */
  @state() private asked: PreviewAnswer | undefined;
  @state() private pressed: "send" | "look" | "do" | undefined;

  readonly #form = new FormState(this);
  readonly #details = new Reading(this, async () => (this.thing ? await thingDetails(this.thing) : undefined));

  override updated(changed: Map<PropertyKey, unknown>): void {
    const before = changed.get("thing") as ThingAnswer | undefined; // what this property was
    if (before && this.thing && stamp(before) !== stamp(this.thing)) void this.#details.again();
    // the button that was pressed is gone: whoever has no mouse goes on at the next one
    if (changed.has("asked") && (changed.get("asked") === undefined) !== (this.asked === undefined))
      this.renderRoot.querySelector<HTMLElement>(this.asked ? "[data-safe]" : "[data-what=look]")?.focus();
  }

  override render() {
    const { thing } = this;
    if (!thing) return nothing;
    const { problem } = this.#form;
    return html`${thing.shown ? nothing : HIDDEN}
    ${this.#details.render((details) => html`${repeat(details?.configs ?? [], ({ topic }) => topic, config)}`)}
    ${problem ? html`<p class="problem" role="alert">${problem}</p>` : nothing}
    ${this.asked ? this.#question(thing, this.asked) : this.#actions(thing)}`;
  }

  #actions(thing: ThingAnswer) {
    const isHub = thing.type === "hub";
    return html`<div class="actions">
      ${thing.shown ? this.#button("send", "Send again", "Sending…", () => this.#send(thing)) : nothing}
      ${
        thing.shown
          ? isHub
            ? nothing // it is deleted there, if anywhere
            : this.#button("look", "Hide…", "Looking…", () => this.#look(thing))
          : this.#button("look", "Show again…", "Looking…", () => this.#look(thing))
      }
    </div>`;
  }

  #question(thing: ThingAnswer, answer: PreviewAnswer) {
    const does = thing.shown ? "Hide it" : "Show it";
    return html`<div class="question" role="group" aria-label="${does}: what it would do">
      ${outcome(answer)}
      ${
        thing.shown
          ? html`<p class="quiet small">Its entities go from Home Assistant. The hub goes on with it as before.</p>`
          : nothing
      }
      <div class="actions">
        <button data-safe @click=${() => (this.asked = undefined)}>Leave it</button>
        ${this.#button("do", does, thing.shown ? "Hiding…" : "Showing…", () => this.#showOrHide(thing), "primary")}
      </div>
    </div>`;
  }

  #button(
    what: NonNullable<typeof this.pressed>,
    label: string,
    busy: string,
    work: () => Promise<void>,
    kind: "primary" | "" = "",
  ) {
    const isBusy = this.#form.isBusy && this.pressed === what;
    const press = async () => {
      if (this.#form.isBusy) return;
      this.pressed = what;
      await this.#form.submit(work);
    };
    return html`<button data-what=${what} class=${kind} aria-disabled=${isBusy ? "true" : "false"} @click=${press}>
      ${isBusy ? busy : label}
    </button>`;
  }

  async #send(thing: ThingAnswer): Promise<void> {
    toast(`${thing.name}: ${sentWords(await sendAgain(thing))}`);
    this.#changed();
  }

  async #look({ type, id, shown }: ThingAnswer): Promise<void> {
    this.asked = await preview({ shown: [{ type, id, shown: !shown }] });
  }

  async #showOrHide(thing: ThingAnswer): Promise<void> {
    await showThing(thing, !thing.shown);
    this.asked = undefined;
    toast(thing.shown ? `${thing.name} is hidden in Home Assistant` : `${thing.name} is shown in Home Assistant`);
    this.#changed();
  }

  #changed(): void {
    this.dispatchEvent(new CustomEvent("thing-changed", { bubbles: true, composed: true }));
    void this.#details.again();
  }
}

const HIDDEN = html`<p class="quiet">Home Assistant is not told of it. If it were shown, this would be there:</p>`;

/** Differs when there may be other payloads. */
function stamp({ state, publishedAt, bytes }: ThingAnswer): string {
  return `${state} ${publishedAt} ${bytes}`;
}

function config({ topic, published, wanted, differs }: ThingConfig) {
  return html`<div class="config">
    <copy-text what="topic" .text=${topic}></copy-text>
    ${
      differs && published && wanted
        ? html`<details>
            <summary>What stands there now</summary>
            <home-assistant-payload what="${topic}, as it stands there" .payload=${published}></home-assistant-payload>
          </details>`
        : nothing
    }
    ${
      wanted || published
        ? html`<home-assistant-payload what=${topic} .payload=${wanted ?? published}></home-assistant-payload>`
        : nothing
    }
  </div>`;
}
