import { mdiChevronRight } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { ThingAnswer } from "#contracts/api/home-assistant.ts";
import { controls } from "../app/controls.ts";
import { icon, iconStyles } from "../app/icon.ts";
import { THING_STATE_WORDS, THING_WORDS, size } from "../words/home-assistant.ts";
import { when } from "../words/instants.ts";
import "./home-assistant-details.ts";
import { sectionStyles } from "./section-styles.ts";

/** One thing that Home Assistant is told of, or could be: in a line, and with its payloads once it is opened. */
@customElement("home-assistant-thing")
export class HomeAssistantThing extends LitElement {
  static override styles = [
    controls,
    iconStyles,
    ...sectionStyles,
    css`
      summary {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0 var(--space-3);
        padding: var(--space-3) 0;
        list-style: none;
        cursor: pointer;
      }
      summary::-webkit-details-marker {
        display: none;
      }
      .icon {
        color: var(--text-quiet);
        transition: rotate 0.15s;
      }
      details[open] .icon {
        rotate: 90deg;
      }
      .what {
        flex: 1;
        min-width: min(14rem, 100%);
        overflow-wrap: anywhere;
      }
      .state {
        font-variant-numeric: tabular-nums;
      }
      @media (max-width: 40rem) {
        .what {
          flex-basis: calc(100% - 1.25em - var(--space-3));
        }
        .state {
          padding-left: calc(1.25rem + var(--space-3));
        }
      }
    `,
  ];

  @property({ attribute: false }) thing: ThingAnswer | undefined;
  @property({ attribute: false }) clock: () => number = Date.now;
  @state() private isOpen = false;

  override render() {
    if (!this.thing) return nothing;
    const { name, type, key } = this.thing;
    return html`<details @toggle=${this.#toggled}>
      <summary>
        ${icon(mdiChevronRight)}
        <span class="what"
          ><b>${name}</b>
          <span class="quiet small"
            >${THING_WORDS[type]}${key === null ? nothing : html` · <span class="mono">${key}</span>`}</span
          ></span
        >
        <span class="state quiet small">${this.#state(this.thing)}</span>
      </summary>
      ${this.isOpen ? html`<home-assistant-details .thing=${this.thing}></home-assistant-details>` : nothing}
    </details>`;
  }

  #state({ state, publishedAt, bytes }: ThingAnswer) {
    if (state === "published")
      return `${publishedAt === null ? "Published" : `Published ${when(publishedAt, this.clock())}`} · ${size(bytes)}`;
    return html`<span class="mark ${state === "failed" ? "bad" : ""}">${THING_STATE_WORDS[state]}</span>`;
  }

  readonly #toggled = (event: Event): void => {
    this.isOpen = (event.target as HTMLDetailsElement).open;
  };
}
