import { mdiAlertOutline } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import type { PlanStep, PowerPlan as Plan } from "#contracts/api/plans.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import { CallError } from "../api/call.ts";
import { planOf, powerOffDevice } from "../api/power.ts";
import { controls } from "../app/controls.ts";
import { icon } from "../app/icon.ts";
import { FormDialog, dialogStyles } from "../form/form-dialog.ts";
import type { LiveStore } from "../live/live-store.ts";
import { Reading } from "../live/reading.ts";
import { Seconds } from "../live/seconds.ts";
import { when } from "../words/instants.ts";
import { wayWords } from "../words/plan.ts";
import { ACTION_WORDS, isForceable, powerOffProgress } from "../words/power-off.ts";
import "./power-plan.ts";

/** `asks` what to do; `doubts` after a refusal that may be overruled; `insists` asks once more; `waits` for the machine's own word; `refused` for good. */
type Step = "asks" | "doubts" | "insists" | "waits" | "refused";

/**
 * Powers one device off: how, what will happen, and what the hub or the machine says against it. It closes when the machine
 * has taken it; from then on the device itself is shown going down.
 *
 * @fires closed
 */
@customElement("power-dialog")
export class PowerDialog extends LitElement {
  static override styles = [
    controls,
    ...dialogStyles,
    css`
      .choice {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 0 var(--space-2);
        padding: var(--space-2) var(--space-3);
        border: 1px solid var(--line);
        border-radius: var(--radius-small);
        cursor: pointer;
      }
      .choice:has(:checked) {
        border-color: var(--accent);
        background: var(--accent-soft);
      }
      .choice input {
        appearance: auto;
        width: 1rem;
        min-height: 1rem;
        margin: 0.25rem 0 0;
        accent-color: var(--accent);
      }
      .choice .small {
        grid-column: 2;
        font-weight: 450;
      }
      .warnings {
        display: grid;
        gap: var(--space-2);
        color: var(--warning);
      }
      .warnings li {
        display: flex;
        gap: var(--space-2);
      }
      .doubt {
        padding: var(--space-3);
        border-radius: var(--radius-small);
        background: var(--warning-soft);
        color: var(--warning);
      }
    `,
  ];

  @property({ attribute: false }) device: DeviceAnswer | undefined;
  @property({ attribute: false }) store: LiveStore | undefined;
  @state() private action: PowerOffAction = "shutdown";
  @state() private step: Step = "asks";
  /** What stands in the way, in the hub's or the machine's words. */
  @state() private doubt = "";

  readonly #dialog = new FormDialog(this);
  readonly #seconds = new Seconds(this);
  readonly #plan = new Reading(this, () => this.#readPlan());
  /** The power-off that was asked for. */
  #asked: string | null = null;
  #isForced = false;

  override connectedCallback(): void {
    super.connectedCallback();
    const { powerSettings, powerActions = [] } = this.device ?? {};
    const proposed = powerSettings?.off ?? "shutdown";
    this.action = powerActions.includes(proposed) ? proposed : (powerActions[0] ?? proposed);
    this.store?.addEventListener("power-off", this.#heard);
  }

  override disconnectedCallback(): void {
    this.store?.removeEventListener("power-off", this.#heard);
    super.disconnectedCallback();
  }

  override firstUpdated(): void {
    this.#dialog.open();
  }

  override willUpdate(): void {
    this.#seconds.run(this.step === "waits");
  }

  override render() {
    const { device, step } = this;
    if (!device) return nothing;
    return this.#dialog.render(
      {
        title: `Power off ${device.name}`,
        submit: this.#submitWords(device),
        busy: "Asking…",
        ...(step === "insists" && { cancel: "Keep it on" }),
        isDangerous: step === "doubts" || step === "insists",
      },
      html`<div class="fields" @input=${stayClean}>${this.#body(device)}</div>`,
      () => this.#submitted(device),
    );
  }

  #submitWords({ powerActions }: DeviceAnswer): string | null {
    switch (this.step) {
      case "asks":
        return powerActions.length === 0 ? null : ACTION_WORDS[this.action].label;
      case "doubts":
        return "Do it anyway";
      case "insists":
        return `${ACTION_WORDS[this.action].label} anyway`;
      case "waits":
      case "refused":
        return null;
    }
  }

  #body(device: DeviceAnswer) {
    switch (this.step) {
      case "asks":
        return html`${this.#choice(device)} ${this.#consequences(device)} ${this.#others()}`;
      case "doubts":
      case "refused":
        return html`<p class="doubt" role="alert">${this.doubt}</p>`;
      case "insists":
        return html`<div role="alert" class="fields">
          <p>${ACTION_WORDS[this.action].label} ${device.name} in spite of this?</p>
          <p class="doubt">${this.doubt}</p>
        </div>`;
      case "waits":
        return html`<p role="status">${this.#progress(device)}</p>
          <p class="quiet">
            You may close this; ${device.name} itself shows how it goes on, and lets you take it back.
          </p>`;
    }
  }

  #choice({ powerActions, whyNoPowerOff }: DeviceAnswer) {
    if (powerActions.length === 0) return html`<p>${whyNoPowerOff ?? "It cannot be powered off now."}</p>`;
    if (powerActions.length === 1) return html`<p>${ACTION_WORDS[this.action].hint}</p>`;
    return html`<fieldset>
      <legend class="visually-hidden">How</legend>
      ${powerActions.map(
        (action) =>
          html`<label class="choice">
            <input
              type="radio"
              name="action"
              value=${action}
              .checked=${action === this.action}
              @change=${() => (this.action = action)}
            />
            ${ACTION_WORDS[action].label}
            <span class="quiet small">${ACTION_WORDS[action].hint}</span>
          </label>`,
      )}
    </fieldset>`;
  }

  /** What will happen, and what speaks against it. */
  #consequences(device: DeviceAnswer) {
    const { powerActions, armed, leases, heldUntil } = device;
    if (powerActions.length === 0) return nothing;
    const why = this.#own?.verdict === "refused" ? this.#own.reason : null;
    const held = `It is held on${heldUntil === null ? "" : ` until ${when(heldUntil, this.#nowMs)}`}.`;
    const warnings = [
      ...(armed === false && this.action !== "reboot"
        ? ["Its network card is not set to wake it. It is set right before it goes down, if it can be."]
        : []),
      ...(why === null ? (leases > 0 ? [held] : []) : [why]),
    ];
    return html`<p>${this.#happens(device)}</p>
      ${
        warnings.length > 0
          ? html`<ul class="warnings">
              ${warnings.map((words) => html`<li>${icon(mdiAlertOutline)} ${words}</li>`)}
            </ul>`
          : nothing
      }`;
  }

  #happens({ powerSettings: { countdownSeconds } }: DeviceAnswer): string {
    const way = this.#own?.way ?? "agent";
    if (!way.startsWith("agent")) return `It goes down at once, ${wayWords(way)}; nobody there is asked.`;
    if (countdownSeconds === 0) return "It goes down at once, unless something there must not be interrupted.";
    return `Whoever is logged in there is told, and has ${countdownSeconds} s to say “not now”.`;
  }

  /** Where others are concerned, too. */
  #others() {
    const plan = this.#plan.value;
    return plan && plan.steps.length > 1 ? html`<power-plan .plan=${plan}></power-plan>` : nothing;
  }

  /** What the plan says of this very device. */
  get #own(): PlanStep | undefined {
    return this.#plan.value?.steps.find(({ deviceId }) => deviceId === this.device?.id);
  }

  async #submitted({ id }: DeviceAnswer): Promise<void | "stay"> {
    if (this.step === "doubts") {
      this.step = "insists";
      return "stay";
    }
    this.#isForced = this.step === "insists";
    try {
      this.#asked = await powerOffDevice(id, this.action, this.#isForced);
    } catch (error) {
      if (!(error instanceof CallError) || !isForceable(error.code) || this.#isForced) throw error;
      this.#refuse(error.code, error.message);
      return "stay";
    }
    this.step = "waits";
    return this.#follow() ? undefined : "stay"; // the machine may have been faster than the hub's answer
  }

  /** Once, a person may overrule it. */
  #refuse(code: string, reason: string): void {
    this.step = isForceable(code) && !this.#isForced ? "doubts" : "refused";
    this.doubt = reason;
  }

  #progress({ id, powerOff }: DeviceAnswer): string {
    if (!powerOff) return "Asking…";
    return powerOffProgress({ powerOff, steps: this.store?.stepsOf(id) ?? [], nowMs: this.#nowMs });
  }

  readonly #heard = (): void => {
    if (this.step === "waits" && this.#follow()) this.#dialog.close();
  };

  /** The machine has its own say, a moment later. @returns whether it has taken it. */
  #follow(): boolean {
    const steps = this.store?.stepsOf(this.device?.id ?? "") ?? [];
    const last = steps.findLast(({ powerOff }) => powerOff === this.#asked);
    if (last?.stage === "failed") this.#refuse(last.code, last.reason);
    return last !== undefined && !["accepted", "sent", "failed"].includes(last.stage);
  }

  async #readPlan(): Promise<Plan> {
    if (!this.device) throw new Error("a plan is of something");
    return await planOf({ kind: "device", id: this.device.id, name: this.device.name }, "off", false);
  }

  get #nowMs(): number {
    return this.store?.nowMs() ?? Date.now();
  }
}

/** A choice among buttons is nothing that could be lost. */
function stayClean(event: Event): void {
  event.stopPropagation();
}
