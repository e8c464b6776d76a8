import { LitElement, css, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Firing, ScheduleRun } from "#contracts/api/schedules.ts";
import { firingsOf, runsOf } from "../api/schedules.ts";
import { controls } from "../app/controls.ts";
import { Reading } from "../live/reading.ts";
import { exactly, when } from "../words/instants.ts";
import { runWords } from "../words/schedules.ts";
import { firingItem, moreFirings } from "./firing-preview.ts";

const SHOWN = 10;
const FIRINGS_SHOWN = 3;

/** What became of a schedule's firings, and which come next, explained. */
@customElement("schedule-runs")
export class ScheduleRuns extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: grid;
        gap: var(--space-4);
        padding-top: var(--space-3);
        font-variant-numeric: tabular-nums;
      }
      h4 {
        margin: 0 0 var(--space-1);
        font-size: var(--size-small);
        font-weight: 600;
      }
      summary {
        color: var(--text-quiet);
        font-size: var(--size-small);
        cursor: pointer;
      }
      .runs li {
        display: grid;
        grid-template-columns: 9.5rem minmax(0, 1fr);
        gap: 0 var(--space-3);
        padding: var(--space-1) 0;
        font-size: var(--size-small);
        overflow-wrap: anywhere;
      }
      .skipped,
      .refused {
        color: var(--warning);
      }
      .device {
        display: block;
      }
      @media (max-width: 30rem) {
        .runs li {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];

  @property() scheduleId = "";
  /** Both say when there is something new to read. */
  @property({ attribute: false }) lastRun: ScheduleRun | null = null;
  @property() updatedAt = "";
  @property({ attribute: false }) clock: () => number = Date.now;

  readonly #runs = new Reading(this, () => runsOf(this.scheduleId, SHOWN));
  readonly #firings = new Reading(this, () => firingsOf(this.scheduleId));

  override updated(changed: Map<PropertyKey, unknown>): void {
    const before = changed.get("lastRun") as ScheduleRun | null | undefined;
    const isOtherRun = changed.has("lastRun") && before !== undefined && before?.id !== this.lastRun?.id;
    if (!isOtherRun && !changed.get("updatedAt")) return;
    void this.#runs.again();
    void this.#firings.again();
  }

  override render() {
    return html`<div>
        <h4>What happened</h4>
        ${this.#runs.render((runs) => this.#happened(runs))}
      </div>
      <div>
        <h4>What comes</h4>
        ${this.#firings.render((firings) => coming(firings))}
      </div>`;
  }

  #happened(runs: readonly ScheduleRun[]) {
    if (runs.length === 0) return html`<p class="quiet small">It has not fired yet.</p>`;
    return html`<ol class="runs">
      ${runs.map(
        (run) =>
          html`<li title=${exactly(run.at)}>
            <span class="quiet">${when(run.dueAt, this.clock())}</span>
            <span
              ><span class=${run.outcome}>${runWords(run)}</span> ${run.devices
                .filter(({ reason }) => reason !== null)
                .map(({ device, reason }) => html`<span class="device quiet">${device}: ${reason}</span>`)}</span
            >
          </li>`,
      )}
    </ol>`;
  }
}

function coming(firings: readonly Firing[]) {
  if (firings.length === 0) return html`<p class="quiet small">Nothing more.</p>`;
  return html`<ol>
      ${firings.slice(0, FIRINGS_SHOWN).map(firingItem)}
    </ol>
    ${moreFirings(firings.slice(FIRINGS_SHOWN))}`;
}
