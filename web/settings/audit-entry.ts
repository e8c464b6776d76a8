import { mdiChevronRight } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { AuditRow } from "#contracts/api/audit.ts";
import { controls } from "../app/controls.ts";
import { type Fact, factList, factStyles } from "../app/facts.ts";
import { icon, iconStyles } from "../app/icon.ts";
import { detailWords, gistWords } from "../words/audit-details.ts";
import { reasonWords } from "../words/audit-reasons.ts";
import { RESULT_WORDS, actionWords, actorWords, targetWords } from "../words/audit.ts";
import { exactly, when } from "../words/instants.ts";

/** A line of the audit log, with all that is known of it below. */
@customElement("audit-entry")
export class AuditEntry extends LitElement {
  static override styles = [
    controls,
    iconStyles,
    factStyles,
    css`
      :host {
        display: block;
      }
      summary {
        display: flex;
        flex-wrap: wrap;
        gap: 0 var(--space-3);
        padding: var(--space-2) 0;
        cursor: pointer;
      }
      .icon {
        align-self: start;
        margin-top: 0.15em;
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
      .who {
        overflow-wrap: anywhere;
      }
      .gist {
        margin-right: var(--space-1);
      }
      .bad {
        padding: 0 var(--space-2);
        border-radius: var(--radius-round);
        background: var(--warning-soft);
        color: var(--warning);
        font-size: var(--size-small);
        white-space: nowrap;
      }
      .facts {
        grid-template-columns: repeat(auto-fit, minmax(min(8.5rem, 100%), 1fr));
        padding: var(--space-1) 0 var(--space-4) calc(1.25 * var(--size-text) + var(--space-3));
        font-size: var(--size-small);
      }
      @media (max-width: 40rem) {
        .what {
          flex-basis: calc(100% - 1.25em - var(--space-3));
        }
        .who {
          padding-left: calc(1.25em + var(--space-3));
        }
      }
    `,
  ];

  @property({ attribute: false }) row: AuditRow | undefined;
  @property({ attribute: false }) clock: () => number = Date.now;
  @state() private isOpen = false;

  override render() {
    if (!this.row) return nothing;
    const { target, result, reason, actor, at } = this.row;
    const gist = gistWords(this.row);
    return html`<details @toggle=${this.#toggled}>
      <summary>
        ${icon(mdiChevronRight)}
        <span class="what"
          >${actionWords(this.row)} ${target?.name ? html`<b>${target.name}</b>` : nothing}
          ${gist ? html`<span class="gist">· ${gist}</span>` : nothing}
          ${result === "ok" ? nothing : html`<span class="bad">${RESULT_WORDS[result]}</span>`}
          ${reason === null ? nothing : html`<span class="quiet small">${reasonWords(reason)}</span>`}</span
        >
        <span class="who quiet">${when(at, this.clock())} · ${actorWords(actor)}</span>
      </summary>
      ${this.isOpen ? factList(factsOf(this.row)) : nothing}
    </details>`;
  }

  readonly #toggled = (event: Event): void => {
    this.isOpen = (event.target as HTMLDetailsElement).open;
  };
}

function factsOf(row: AuditRow): Fact[] {
  const { at, actor, action, target, address, result, reason, requestId, seq, hash } = row;
  const mono = (text: unknown) => text && html`<span class="mono">${text}</span>`;
  return [
    ["When", exactly(at)],
    ["Who", actorWords(actor)],
    ["From", mono(address)],
    ["Result", RESULT_WORDS[result]],
    ["Why", reason && html`${reasonWords(reason)} <span class="mono quiet">${reason}</span>`],
    ["Action", mono(action)],
    ["On", target && targetWords(target)],
    ["Its id", mono(target?.id)],
    ...detailWords(row),
    ["Request", mono(requestId)],
    ["Number in the log", seq],
    ["Hash", mono(hash)],
  ];
}
