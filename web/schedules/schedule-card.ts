import { mdiCalendarRemoveOutline, mdiPencilOutline } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { ScheduleAnswer } from "#contracts/api/schedules.ts";
import { CallError } from "../api/call.ts";
import { changeSchedule, skipNext } from "../api/schedules.ts";
import { controls } from "../app/controls.ts";
import { icon, iconStyles } from "../app/icon.ts";
import { sectionStyles } from "../settings/section-styles.ts";
import { exactly, when as instantWords } from "../words/instants.ts";
import { doesWords, ownTimeZone, runWords, whenWords } from "../words/schedules.ts";
import "./schedule-runs.ts";

/**
 * One schedule: what it does and when, what became of its last firing, and its switch.
 *
 * @fires edit with the schedule
 * @fires changed
 */
@customElement("schedule-card")
export class ScheduleCard extends LitElement {
  static override styles = [
    controls,
    iconStyles,
    ...sectionStyles,
    css`
      article.off h3,
      article.off .does {
        color: var(--text-quiet);
      }
      .title {
        flex-wrap: nowrap;
      }
      .switch {
        display: inline-flex;
        align-items: center;
        gap: var(--space-2);
        font-weight: 450;
        white-space: nowrap;
      }
      .switch input {
        appearance: none;
        position: relative;
        width: 2.5rem;
        height: 1.5rem;
        margin: 0;
        border-radius: var(--radius-round);
        background: var(--line-strong);
        cursor: pointer;
        transition: background 0.2s;
      }
      .switch input::before {
        content: "";
        position: absolute;
        inset: 0.1875rem auto auto 0.1875rem;
        width: 1.125rem;
        height: 1.125rem;
        border-radius: var(--radius-round);
        background: var(--surface-raised);
        transition: translate 0.2s;
      }
      .switch :checked {
        background: var(--accent);
      }
      .switch :checked::before {
        translate: 1rem 0;
      }
      @media (prefers-reduced-motion: reduce) {
        .switch input,
        .switch input::before {
          transition: none;
        }
      }
      .words {
        display: grid;
        gap: var(--space-1);
        overflow-wrap: anywhere;
      }
      .skipped {
        color: var(--warning);
      }
      details {
        border-top: 1px solid var(--line);
        padding-top: var(--space-2);
      }
      summary {
        color: var(--text-quiet);
        cursor: pointer;
      }
    `,
  ];

  @property({ attribute: false }) schedule: ScheduleAnswer | undefined;
  /** The names of what it is for. */
  @property({ attribute: false }) targets: readonly string[] = [];
  @property({ type: Boolean }) mayChange = false;
  @property({ attribute: false }) clock: () => number = Date.now;
  @state() private isBusy = false;
  @state() private problem = "";
  /** What happened and what comes is read when somebody wants to know. */
  @state() private isUnfolded = false;

  override render() {
    const { schedule, targets } = this;
    if (!schedule) return nothing;
    const { name, enabled, description, when, lastRun } = schedule;
    const nowMs = this.clock();
    return html`<article class=${enabled ? "" : "off"} aria-labelledby="name">
      <div class="title">
        <h3 id="name">${name}</h3>
        ${this.#switch(schedule)}
      </div>
      <div class="words">
        <p class="does">${doesWords(schedule, targets)} · ${whenWords(when, nowMs, ownTimeZone())}</p>
        ${description ? html`<p class="quiet">${description}</p>` : nothing} ${this.#next(schedule, nowMs)}
        ${
          lastRun
            ? html`<p class="small ${lastRun.outcome}" title=${exactly(lastRun.at)}>
                ${instantWords(lastRun.at, nowMs)}: ${runWords(lastRun)}
              </p>`
            : nothing
        }
        ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
      </div>
      ${this.mayChange ? this.#actions(schedule) : nothing}
      <details @toggle=${(event: ToggleEvent) => (this.isUnfolded ||= event.newState === "open")}>
        <summary>What happened, and what comes</summary>
        ${
          this.isUnfolded
            ? html`<schedule-runs
                .scheduleId=${schedule.id}
                .lastRun=${lastRun}
                .updatedAt=${schedule.updatedAt}
                .clock=${this.clock}
              ></schedule-runs>`
            : nothing
        }
      </details>
    </article>`;
  }

  #next({ nextAt, enabled, skipNext: isLeftOut }: ScheduleAnswer, nowMs: number) {
    if (!enabled) return html`<p class="quiet">Switched off</p>`;
    if (nextAt === null) return html`<p class="quiet">It will not fire any more</p>`;
    const at = instantWords(nextAt, nowMs);
    return isLeftOut
      ? html`<p class="skipped">Next ${at}, which is left out</p>`
      : html`<p title=${exactly(nextAt)}>Next ${at}</p>`;
  }

  #switch({ id, name, enabled }: ScheduleAnswer) {
    if (!this.mayChange) return nothing;
    return html`<label class="switch">
      <span class="visually-hidden">${name} is </span>${enabled ? "On" : "Off"}
      <input
        type="checkbox"
        role="switch"
        .checked=${enabled}
        @click=${(event: Event) => {
          event.preventDefault(); // it shows what the hub has
          void this.#ask(() => changeSchedule(id, { enabled: !enabled }));
        }}
      />
    </label>`;
  }

  #actions(schedule: ScheduleAnswer) {
    const { id, nextAt, enabled, skipNext: isLeftOut, name } = schedule;
    return html`<div class="actions">
      ${
        enabled && nextAt !== null
          ? html`<button
              aria-disabled=${this.isBusy ? "true" : "false"}
              @click=${() => void this.#ask(() => skipNext(id, !isLeftOut))}
            >
              ${icon(mdiCalendarRemoveOutline)} ${isLeftOut ? "Do not leave it out" : "Leave the next out"}
            </button>`
          : nothing
      }
      <button aria-label="Edit ${name}" aria-haspopup="dialog" @click=${this.#edit}>
        ${icon(mdiPencilOutline)} Edit
      </button>
    </div>`;
  }

  readonly #edit = (): void => {
    this.dispatchEvent(new CustomEvent("edit", { detail: this.schedule }));
  };

  async #ask(work: () => Promise<unknown>): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    this.problem = "";
    try {
      await work();
      this.dispatchEvent(new CustomEvent("changed"));
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      this.problem = error.message;
    } finally {
      this.isBusy = false;
    }
  }
}
