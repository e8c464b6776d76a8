import { LitElement, css, html, nothing, svg } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { PowerHistory } from "#contracts/api/power-history.ts";
import type { PowerState } from "#contracts/power.ts";
import { powerHistory } from "../api/power.ts";
import { controls } from "../app/controls.ts";
import { Reading } from "../live/reading.ts";
import { exactly, span } from "../words/instants.ts";
import { POWER_WORDS } from "../words/device.ts";
import { type DayRow, daysOf, startOfDays } from "./power-days.rules.ts";

const DAYS = 7;
/** Of the drawing; it is as wide as there is room. */
const WIDTH = 1_440;
const HEIGHT = 14;

const weekday = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric" });

/** The power states of a device over the last days: a bar for each, from midnight to midnight. Read anew when its state changes. */
@customElement("power-days")
export class PowerDays extends LitElement {
  static override styles = [
    controls,
    css`
      ol {
        display: grid;
        gap: var(--space-1);
      }
      li {
        display: grid;
        grid-template-columns: 4rem minmax(0, 1fr) 3.5rem;
        align-items: center;
        gap: var(--space-2);
        font-size: var(--size-small);
        font-variant-numeric: tabular-nums;
        white-space: nowrap;
      }
      .total {
        text-align: right;
      }
      svg {
        display: block;
        width: 100%;
        height: 0.875rem;
        border-radius: 0.25rem;
        background: var(--surface-sunken);
      }
      .on {
        fill: var(--power-on);
      }
      .waking,
      .stopping {
        fill: var(--power-waking);
      }
      .off {
        fill: var(--power-off);
        opacity: 0.25;
      }
      .unreachable,
      .unknown {
        fill: var(--surface-sunken);
      }
      .hours {
        display: flex;
        justify-content: space-between;
        color: var(--text-quiet);
      }
    `,
  ];

  @property() deviceId = "";
  @property() power: PowerState | undefined;
  @property({ attribute: false }) clock: () => number = Date.now;

  readonly #history = new Reading(this, () => this.#read());

  override updated(changed: Map<PropertyKey, unknown>): void {
    const isOther = changed.get("deviceId") || changed.get("power");
    if (isOther) void this.#history.again();
  }

  override render() {
    return this.#history.render((history) => this.#days(history));
  }

  #days({ states }: PowerHistory) {
    if (states.length === 0) return html`<p class="quiet">Nothing is known of the last days yet.</p>`;
    return html`<ol aria-label="Power states of the last days">
      ${daysOf(states, DAYS, this.clock()).map(dayItem)}
      <li aria-hidden="true">
        <span></span
        ><span class="hours"><span>0</span><span>6</span><span>12</span><span>18</span><span>24</span></span>
      </li>
    </ol>`;
  }

  async #read(): Promise<PowerHistory> {
    return await powerHistory(this.deviceId, new Date(startOfDays(DAYS, this.clock())).toISOString());
  }
}

function dayItem({ startMs, endMs, onSeconds, parts }: DayRow) {
  const scale = WIDTH / (endMs - startMs);
  return html`<li>
    <span>${weekday.format(startMs)}</span>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
      ${parts.map(
        ({ power, fromMs, toMs }) =>
          svg`<rect class=${power} x=${(fromMs - startMs) * scale} width=${(toMs - fromMs) * scale} height=${HEIGHT}>
            <title>${POWER_WORDS[power]} from ${exactly(new Date(fromMs).toISOString())}</title>
          </rect>`,
      )}
    </svg>
    <span class="total quiet"
      >${onSeconds > 0 ? html`${span(onSeconds)}<span class="visually-hidden"> on</span>` : parts.length > 0 ? "–" : nothing}</span
    >
  </li>`;
}
