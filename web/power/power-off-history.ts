import { mdiChevronRight } from "@mdi/js";
import { LitElement, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { PowerOffAnswer } from "#contracts/api/power-offs.ts";
import type { LastPowerOff } from "#contracts/power.ts";
import { powerOffsOf } from "../api/power.ts";
import { controls } from "../app/controls.ts";
import { icon, iconStyles } from "../app/icon.ts";
import { historyStyles } from "../devices/history-styles.ts";
import { Reading } from "../live/reading.ts";
import { exactly, when } from "../words/instants.ts";
import { ACTION_WORDS, powerOffSentence } from "../words/power-off.ts";

const SHOWN = 5;

/** The last power-offs of a device with each of their steps; read anew when one ends. */
@customElement("power-off-history")
export class PowerOffHistory extends LitElement {
  static override styles = [controls, iconStyles, historyStyles];

  @property() deviceId = "";
  /** Says when there is something new to read. */
  @property({ attribute: false }) lastPowerOff: LastPowerOff | null = null;
  @property({ attribute: false }) clock: () => number = Date.now;

  readonly #powerOffs = new Reading(this, () => powerOffsOf(this.deviceId, SHOWN));

  override updated(changed: Map<PropertyKey, unknown>): void {
    if (changed.get("lastPowerOff") !== undefined) void this.#powerOffs.again();
  }

  override render() {
    return this.#powerOffs.render((powerOffs) =>
      powerOffs.length === 0
        ? html`<p class="quiet">It was not powered off from here yet.</p>`
        : html`<div class="entries">${powerOffs.map((each) => this.#entry(each))}</div>`,
    );
  }

  #entry({ stages, action, stage, requestedAt, requestedBy, force }: PowerOffAnswer) {
    const last = stages.at(-1);
    const isBad = stage === "still-on" || stage === "failed";
    return html`<details>
      <summary>
        ${icon(mdiChevronRight)}
        <span class="outcome ${isBad ? "bad" : ""}"
          >${ACTION_WORDS[action].label}: ${last ? powerOffSentence(last, action) : stage}</span
        >
        <span class="quiet">${when(requestedAt, this.clock())} · ${requestedBy}</span>
      </summary>
      <ol>
        ${force ? html`<li><span></span><span>In spite of what stood in the way</span></li>` : nothing}
        ${stages.map(
          (record) =>
            html`<li title=${exactly(record.at)}>
              <span class="quiet after">${afterSeconds(requestedAt, record.at)}</span>
              <span>${powerOffSentence(record, action)}</span>
            </li>`,
        )}
      </ol>
    </details>`;
  }
}

/** How long after the request: `+8.2 s`. */
function afterSeconds(requestedAt: string, at: string): string {
  return `+${Math.max(0, (Date.parse(at) - Date.parse(requestedAt)) / 1_000).toFixed(1)} s`;
}
