import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Firing } from "#contracts/api/schedules.ts";
import { CallError } from "../api/call.ts";
import { previewOf } from "../api/schedules.ts";
import { controls } from "../app/controls.ts";
import { foldStyles } from "../form/form-dialog.ts";
import type { ScheduleFields } from "./schedule-fields.ts";

/** After the last key: nobody wants to know when half a time would fire. Milliseconds. */
const PAUSE_MS = 250;
const SHOWN = 3;

/** When something would fire next, while it is typed. */
@customElement("firing-preview")
export class FiringPreview extends LitElement {
  static override styles = [
    controls,
    foldStyles,
    css`
      :host {
        display: grid;
        gap: var(--space-2);
        padding: var(--space-3) var(--space-4);
        border-radius: var(--radius-small);
        background: var(--surface-sunken);
        font-variant-numeric: tabular-nums;
      }
      h3 {
        font-size: var(--size-text);
      }
      details {
        border: 0;
        padding: 0;
      }
      summary {
        font-weight: 450;
        font-size: var(--size-small);
      }
      details ol {
        padding-top: var(--space-1);
      }
    `,
  ];

  @property({ attribute: false }) when: ScheduleFields["when"] | undefined;
  @property({ type: Number }) jitterSeconds = 0;
  @state() private firings: readonly Firing[] | undefined;
  @state() private problem = "";

  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = "";

  override disconnectedCallback(): void {
    clearTimeout(this.#timer);
    super.disconnectedCallback();
  }

  override willUpdate(): void {
    const wanted = JSON.stringify([this.when, this.jitterSeconds]);
    if (!this.when || wanted === this.#asked) return;
    const isFirst = this.#asked === "";
    this.#asked = wanted;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(wanted), isFirst ? 0 : PAUSE_MS);
  }

  override render() {
    return html`<h3>Next</h3>
      <div role="status">${this.problem ? html`<p class="small">${this.problem}</p>` : this.#next()}</div>
      ${this.#more()}`;
  }

  #next() {
    if (!this.firings) return html`<p class="quiet">…</p>`;
    if (this.firings.length === 0) return html`<p>It would never fire: that is over.</p>`;
    return html`<ol>
      ${this.firings.slice(0, SHOWN).map(firingItem)}
    </ol>`;
  }

  #more() {
    return this.problem || !this.firings ? nothing : moreFirings(this.firings.slice(SHOWN));
  }

  /** An answer that a later question overtook is not shown. */
  async #ask(wanted: string): Promise<void> {
    if (!this.when) return;
    try {
      const firings = await previewOf({ when: this.when, jitterSeconds: this.jitterSeconds });
      if (wanted !== this.#asked) return;
      [this.firings, this.problem] = [firings, ""];
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (wanted === this.#asked) this.problem = problemWords(error);
    }
  }
}

/** Those that are read by few. */
export function moreFirings(firings: readonly Firing[]) {
  if (firings.length === 0) return nothing;
  return html`<details>
    <summary>and the ${firings.length} after these</summary>
    <ol>
      ${firings.map(firingItem)}
    </ol>
  </details>`;
}

export function firingItem({ explanation, skipped }: Firing) {
  return html`<li class="small ${skipped ? "quiet" : ""}">${explanation}</li>`;
}

function problemWords({ fields, message }: CallError): string {
  const [first] = fields;
  return first ? `${first.path.split(".").at(-1)} ${first.message}` : message;
}
