import { LitElement, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { PowerPlan as Plan } from "#contracts/api/plans.ts";
import { wakeCluster } from "../api/clusters.ts";
import { wakeDevice } from "../api/devices.ts";
import { type Subject, planOf, powerOffCluster } from "../api/power.ts";
import { controls } from "../app/controls.ts";
import { FormDialog, dialogStyles } from "../form/form-dialog.ts";
import { Reading } from "../live/reading.ts";
import { doWords } from "../words/plan.ts";
import { isForceable } from "../words/power-off.ts";
import "./power-plan.ts";

/**
 * Shows what a wake of a device or cluster, or a power-off of a cluster, would do, and does it when a person says so.
 *
 * @fires taken with what the hub said of each device, before `closed`
 * @fires closed
 */
@customElement("plan-dialog")
export class PlanDialog extends LitElement {
  static override styles = [controls, ...dialogStyles];

  @property({ attribute: false }) subject: Subject | undefined;
  @property({ attribute: false }) action: Plan["action"] = "wake";
  /** In spite of what the hub refuses. */
  @state() private isForced = false;

  readonly #dialog = new FormDialog(this);
  readonly #plan = new Reading(this, () => this.#read());

  override firstUpdated(): void {
    this.#dialog.open();
  }

  override render() {
    const { subject, action } = this;
    if (!subject) return nothing;
    const plan = this.#plan.value;
    const isWake = action === "wake";
    return this.#dialog.render(
      {
        title: `${isWake ? "Wake" : "Power off"} ${subject.name}`,
        submit: plan && goers(plan) > 0 ? doWords(action, goers(plan), this.isForced) : null,
        busy: "Asking…",
        isDangerous: !isWake && this.isForced,
      },
      html`${this.#plan.render((value) => this.#shown(value))}`,
      () => this.#do(subject),
    );
  }

  #shown(plan: Plan) {
    const { isForced } = this;
    const overruled = plan.steps.filter(({ verdict, code }) => verdict === "refused" && isForceable(code)).length;
    return html`${goers(plan) === 0 ? html`<p>${nothingWords(plan)}</p>` : nothing}
      <power-plan .plan=${plan}></power-plan>
      ${
        this.action === "off" && (overruled > 0 || isForced)
          ? html`<div class="buttons">
              <p class="fill small quiet">
                ${
                  isForced
                    ? "What stood in the way is overruled. Look once more at what goes down now."
                    : "What is refused stays on."
                }
              </p>
              <button type="button" class=${isForced ? "" : "danger"} @click=${this.#force}>
                ${isForced ? "Leave them on" : "Do it anyway"}
              </button>
            </div>`
          : nothing
      }`;
  }

  readonly #force = (): void => {
    this.isForced = !this.isForced;
    void this.#plan.again();
  };

  async #read(): Promise<Plan> {
    if (!this.subject) throw new Error("a plan is of something");
    return await planOf(this.subject, this.action, this.isForced);
  }

  async #do(subject: Subject): Promise<void> {
    this.dispatchEvent(new CustomEvent("taken", { detail: await this.#asked(subject) }));
  }

  async #asked({ kind, id }: Subject) {
    if (this.action === "off") return await powerOffCluster(id, this.isForced);
    return kind === "cluster" ? await wakeCluster(id) : [await wakeDevice(id)];
  }
}

function goers({ steps }: Plan): number {
  return steps.filter(({ verdict }) => verdict === "go").length;
}

function nothingWords({ action, steps }: Plan): string {
  if (steps.length === 0) return "There is no device that could take part.";
  if (steps.every(({ verdict }) => verdict === "already"))
    return action === "wake" ? "Everything is on already." : "Everything is off already.";
  return action === "wake" ? "Nothing can be woken now:" : "Nothing can be powered off now:";
}
