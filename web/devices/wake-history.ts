import { mdiChevronRight } from "@mdi/js";
import { LitElement, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { WakeAnswer } from "#contracts/api/wakes.ts";
import type { LastWake } from "#contracts/power.ts";
import { CallError } from "../api/call.ts";
import { wakesOf } from "../api/devices.ts";
import { controls } from "../app/controls.ts";
import { icon, iconStyles } from "../app/icon.ts";
import { destinationWords, stageSentence } from "../words/device.ts";
import { exactly, when } from "../words/instants.ts";
import { historyStyles } from "./history-styles.ts";

const SHOWN = 5;

/** The last wakes of a device with each of their steps; read anew when one ends. */
@customElement("wake-history")
export class WakeHistory extends LitElement {
  static override styles = [controls, iconStyles, historyStyles];

  @property() deviceId = "";
  /** Says when there is something new to read. */
  @property({ attribute: false }) lastWake: LastWake | null = null;
  @property({ attribute: false }) clock: () => number = Date.now;
  @state() private wakes: readonly WakeAnswer[] | undefined;
  @state() private problem = "";

  override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (changed.has("deviceId") || changed.has("lastWake")) void this.#read();
  }

  override render() {
    if (this.problem) return html`<p class="problem">${this.problem}</p>`;
    if (!this.wakes) return html`<p class="quiet">Loading…</p>`;
    if (this.wakes.length === 0) return html`<p class="quiet">It was not woken yet.</p>`;
    return html`<div class="entries">${this.wakes.map((wake) => this.#wake(wake))}</div>`;
  }

  #wake({ stages, stage, requestedAt, requestedBy }: WakeAnswer) {
    const last = stages.at(-1);
    const isBad = stage === "no-answer" || stage === "failed";
    return html`<details>
      <summary>
        ${icon(mdiChevronRight)}
        <span class="outcome ${isBad ? "bad" : ""}">${last ? stageSentence(last) : stage}</span>
        <span class="quiet">${when(requestedAt, this.clock())} · ${requestedBy}</span>
      </summary>
      <ol>
        ${stages.map(
          (record) =>
            html`<li title=${exactly(record.at)}>
              <span class="quiet after">${afterSeconds(requestedAt, record.at)}</span>
              <span>${stageSentence(record)}${detailsOf(record)}</span>
            </li>`,
        )}
      </ol>
    </details>`;
  }

  async #read(): Promise<void> {
    try {
      this.wakes = await wakesOf(this.deviceId, SHOWN);
      this.problem = "";
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      this.problem = `The history cannot be read: ${error.message}`;
    }
  }
}

/** How long after the request: `+8.2 s`. */
function afterSeconds(requestedAt: string, at: string): string {
  return `+${Math.max(0, (Date.parse(at) - Date.parse(requestedAt)) / 1_000).toFixed(1)} s`;
}

/** What helps to find out why: where magic packets went, and why agents could not do their part. */
function detailsOf(record: WakeAnswer["stages"][number]) {
  if (record.stage === "sent") return record.destinations.map((each) => line(destinationWords(each)));
  if (record.stage === "failed" || record.stage === "no-answer")
    return [
      ...record.agents.map(({ agent, reason }) => line(`${agent}: ${reason}`)),
      ...record.findings.map(({ title, advice }) => line(`${title}: ${advice}`)),
    ];
  return nothing;
}

function line(words: string) {
  return html`<br /><span class="quiet">${words}</span>`;
}
