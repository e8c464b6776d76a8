import { mdiPinOutline } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import type { LeaseAnswer } from "#contracts/api/leases.ts";
import { giveBack, holdOn, leasesOf } from "../api/leases.ts";
import { controls } from "../app/controls.ts";
import { icon, iconStyles } from "../app/icon.ts";
import { selectField, textField } from "../form/fields.ts";
import { FormState } from "../form/form-state.ts";
import { textOf } from "../form/values.ts";
import type { LiveStore } from "../live/live-store.ts";
import { Reading } from "../live/reading.ts";
import { when } from "../words/instants.ts";
import { LONGS, leaseFrom, leaseWords } from "./lease.rules.ts";

/** Who holds a device on, and for how long; and a way to do so. */
@customElement("device-leases")
export class DeviceLeases extends LitElement {
  static override styles = [
    controls,
    iconStyles,
    css`
      :host {
        display: grid;
        gap: var(--space-2);
      }
      li {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--space-1) var(--space-3);
      }
      li > span {
        flex: 1;
        min-width: min(12rem, 100%);
        overflow-wrap: anywhere;
      }
      form {
        display: grid;
        gap: var(--space-3);
        padding: var(--space-3);
        border: 1px solid var(--line);
        border-radius: var(--radius-small);
      }
      .buttons {
        display: flex;
        justify-content: end;
        gap: var(--space-2);
      }
      button {
        justify-self: start;
      }
    `,
  ];

  @property({ attribute: false }) device: DeviceAnswer | undefined;
  @property({ attribute: false }) store: LiveStore | undefined;
  /** Whether this account may hold it, and give back what it holds. */
  @property({ type: Boolean }) mayHold = false;
  @property() username = "";
  /** Whether it may give back what others hold, too. */
  @property({ type: Boolean }) mayGiveBackAll = false;
  @state() private isAdding = false;
  @state() private long: string = LONGS[1].value;
  @state() private giving = "";

  readonly #form = new FormState(this);
  readonly #leases = new Reading(this, () => this.#readThem());

  override connectedCallback(): void {
    super.connectedCallback();
    this.store?.addEventListener("schedules", this.#read);
  }

  override disconnectedCallback(): void {
    this.store?.removeEventListener("schedules", this.#read);
    super.disconnectedCallback();
  }

  override updated(changed: Map<PropertyKey, unknown>): void {
    const before = changed.get("device") as DeviceAnswer | undefined;
    const { leases, heldUntil } = this.device ?? {};
    if (before && (before.leases !== leases || before.heldUntil !== heldUntil)) void this.#leases.again();
  }

  override render() {
    return html`${this.#leases.render((leases) => this.#list(leases))}
    ${this.mayHold ? (this.isAdding ? this.#adding() : this.#addButton()) : nothing}`;
  }

  #list(leases: readonly LeaseAnswer[]) {
    if (leases.length === 0)
      return html`<p class="quiet">
        Nobody holds it
        on${
          this.device?.powerSettings.offAfterLease ? ". When somebody does, it goes down when the last one ends" : ""
        }.
      </p>`;
    return html`<ul aria-label="Who holds it on">
      ${repeat(
        leases,
        ({ id }) => id,
        (lease) =>
          html`<li>
            <span>${leaseWords(lease, (instant) => when(instant, this.#nowMs))}</span>
            ${this.#mayGiveBack(lease) ? this.#giveBackButton(lease) : nothing}
          </li>`,
      )}
    </ul>`;
  }

  #mayGiveBack({ heldBy }: LeaseAnswer): boolean {
    return this.mayGiveBackAll || (this.mayHold && heldBy === this.username);
  }

  #giveBackButton({ id, heldBy }: LeaseAnswer) {
    const isGiving = this.giving === id;
    return html`<button
      type="button"
      aria-label="Give back what ${heldBy} holds"
      aria-disabled=${isGiving ? "true" : "false"}
      @click=${() => void this.#giveBack(id)}
    >
      ${isGiving ? "Giving back…" : "Give back"}
    </button>`;
  }

  #addButton() {
    return html`${this.#form.problem ? html`<p class="problem" role="alert">${this.#form.problem}</p>` : nothing}
      <button type="button" @click=${() => (this.isAdding = true)}>${icon(mdiPinOutline)} Hold on…</button>`;
  }

  #adding() {
    const form = this.#form;
    return html`<form novalidate @submit=${(event: SubmitEvent) => void this.#submitted(event)}>
      <div class="two">
        <div @change=${this.#longChosen}>
          ${selectField(form, { name: "long", label: "Hold it on", value: this.long, options: LONGS })}
        </div>
        ${
          this.long === "until"
            ? textField(form, { name: "until", label: "Until", type: "datetime-local", required: true })
            : nothing
        }
      </div>
      ${textField(form, { name: "reason", label: "Why", placeholder: "e.g. a backup runs" })}
      ${form.problem ? html`<p class="problem" role="alert">${form.problem}</p>` : nothing}
      <div class="buttons">
        <button type="button" @click=${() => (this.isAdding = false)}>Cancel</button>
        <button class="primary" aria-disabled=${form.isBusy ? "true" : "false"}>
          ${form.isBusy ? "Holding…" : "Hold on"}
        </button>
      </div>
    </form>`;
  }

  readonly #longChosen = (event: Event): void => {
    this.long = (event.target as HTMLSelectElement).value;
  };

  async #submitted(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const { device } = this;
    if (!device) return;
    const data = new FormData(event.target as HTMLFormElement);
    const isDone = await this.#form.submit(async () => {
      await holdOn(device.id, leaseFrom(textOf(data, "long"), textOf(data, "until"), textOf(data, "reason")));
    });
    if (!isDone) return;
    this.isAdding = false;
    await this.#leases.again();
  }

  async #giveBack(id: string): Promise<void> {
    if (this.giving !== "") return;
    this.giving = id;
    await this.#form.submit(() => giveBack(id));
    this.giving = "";
    await this.#leases.again();
  }

  /** Nobody is asked where there is nothing to tell. */
  async #readThem(): Promise<LeaseAnswer[]> {
    return this.device && this.device.leases > 0 ? await leasesOf(this.device.id) : [];
  }

  readonly #read = (): void => void this.#leases.again();

  get #nowMs(): number {
    return this.store?.nowMs() ?? Date.now();
  }
}
