import { mdiAlertOutline, mdiCheck, mdiPower } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { PlanStep, PowerPlan as Plan } from "#contracts/api/plans.ts";
import { controls } from "../app/controls.ts";
import { icon, iconStyles } from "../app/icon.ts";
import { paceWords, startWords, stepWords } from "../words/plan.ts";

const ICONS = { go: mdiPower, already: mdiCheck, refused: mdiAlertOutline } as const;

/** What a wake or a power-off would do, step by step. */
@customElement("power-plan")
export class PowerPlan extends LitElement {
  static override styles = [
    controls,
    iconStyles,
    css`
      :host {
        display: grid;
        gap: var(--space-3);
      }
      li {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr) auto;
        gap: 0 var(--space-3);
        align-items: baseline;
        padding: var(--space-2) 0;
      }
      li + li {
        border-top: 1px solid var(--line);
      }
      .icon {
        align-self: start;
        margin-top: 0.15em;
      }
      .name {
        font-weight: 550;
        overflow-wrap: anywhere;
      }
      .starts {
        font-variant-numeric: tabular-nums;
      }
      .words {
        grid-column: 2 / -1;
      }
      .refused {
        color: var(--warning);
      }
      .already {
        color: var(--text-quiet);
      }
      .go > .icon {
        color: var(--accent);
      }
      .needed {
        padding: 0 var(--space-2);
        border-radius: var(--radius-round);
        background: var(--surface-sunken);
        color: var(--text-quiet);
        font-size: var(--size-small);
        font-weight: 450;
        white-space: nowrap;
      }
    `,
  ];

  @property({ attribute: false }) plan: Plan | undefined;

  override render() {
    if (!this.plan) return nothing;
    const { steps, action } = this.plan;
    const pace = steps.length > 1 ? paceWords(this.plan) : undefined;
    return html`${pace ? html`<p class="quiet">They follow each other: ${pace}.</p>` : nothing}
      <ol aria-label=${action === "wake" ? "What would be woken" : "What would go down"}>
        ${steps.map((step) => this.#step(step, action))}
      </ol>`;
  }

  #step(step: PlanStep, action: Plan["action"]) {
    const isMoving = step.verdict === "go";
    return html`<li class=${step.verdict}>
      ${icon(ICONS[step.verdict])}
      <span class="name">${step.name} ${step.asked ? nothing : html`<span class="needed">needed</span>`}</span>
      <span class="starts quiet small">${isMoving ? startWords(step) : nothing}</span>
      <span class="words small ${isMoving ? "quiet" : ""}">${stepWords(step, action, this.#nameOf)}</span>
      ${isMoving ? step.findings.map(({ title }) => html`<span class="words quiet small">${title}</span>`) : nothing}
    </li>`;
  }

  readonly #nameOf = (key: string): string => this.plan?.steps.find(({ device }) => device === key)?.name ?? key;
}
