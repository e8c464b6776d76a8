import { LitElement, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import type { PowerMethod, PowerMethodAnswer } from "#contracts/api/power-methods.ts";
import { deletePowerMethod, powerMethod, setPowerMethod } from "../api/power.ts";
import { controls } from "../app/controls.ts";
import "../app/copy-text.ts";
import { toast } from "../app/toast-list.ts";
import { DeleteButton } from "../form/delete-button.ts";
import { selectField } from "../form/fields.ts";
import { FormDialog, dialogStyles, foldStyles } from "../form/form-dialog.ts";
import { Reading } from "../live/reading.ts";
import { type MethodType, bodyFrom } from "./power-method-fields.ts";
import { methodView } from "./power-method-view.ts";

const TYPES = [
  { value: "ssh", label: "SSH: run a command on it" },
  { value: "mqtt", label: "MQTT: a smart plug, or anything that listens" },
  { value: "http", label: "HTTP: call an address" },
] as const;

const REMOVE = { act: "Remove", busy: "Removing…", done: "removed" };

/**
 * Another way to power a device off than an agent on it. What is secret is kept encrypted by the hub and never comes back.
 *
 * @fires closed
 */
@customElement("power-method-form")
export class PowerMethodForm extends LitElement {
  static override styles = [controls, ...dialogStyles, foldStyles];

  @property({ attribute: false }) device: DeviceAnswer | undefined;
  @state() private type: MethodType = "ssh";
  /** The line of a key that was just given. */
  @state() private publicKey: string | null = null;

  readonly #dialog = new FormDialog(this);
  readonly #delete = new DeleteButton(this, this.#dialog);
  readonly #kept = new Reading(this, () => this.#read());

  override firstUpdated(): void {
    this.#dialog.open();
  }

  override render() {
    const { device } = this;
    if (!device) return nothing;
    const kept = this.#kept.value;
    return this.#dialog.render(
      {
        title: `Another way to power off ${device.name}`,
        submit: kept && this.publicKey === null ? "Save" : null,
        busy: "Saving…",
      },
      html`${this.publicKey === null ? this.#kept.render((value) => this.#fields(value)) : this.#keyLine(this.publicKey)}`,
      (data) => this.#save(device, data),
      kept?.method && this.publicKey === null
        ? { button: this.#deleteButton(device), isAsking: this.#delete.isAsking }
        : undefined,
    );
  }

  #fields(kept: PowerMethodAnswer) {
    const form = this.#dialog.state;
    return html`<p class="quiet">
        For a machine without an agent of its own, and while that is offline. Whoever powers it off goes this way.
      </p>
      <div @change=${this.#typeChosen}>
        ${selectField(form, { name: "type", label: "How", value: this.type, options: TYPES })}
      </div>
      ${methodView(form, this.type, kept.method?.type === this.type ? kept.method : null, kept)}`;
  }

  #keyLine(publicKey: string) {
    return html`<p role="status">
        It is kept. Put this line into <span class="mono">~/.ssh/authorized_keys</span> there:
      </p>
      <copy-text what="public key" .text=${publicKey}></copy-text>`;
  }

  #deleteButton({ id, name }: DeviceAnswer) {
    return this.#delete.render({
      name: `The other way of ${name}`,
      label: "Remove this way",
      question: `Remove this way of powering ${name} off, with its secrets?`,
      work: () => deletePowerMethod(id),
      words: REMOVE,
    });
  }

  readonly #typeChosen = (event: Event): void => {
    this.type = (event.target as HTMLSelectElement).value as PowerMethod["type"]; // the values of our own options
  };

  async #read(): Promise<PowerMethodAnswer> {
    const kept = await powerMethod(this.device?.id ?? "");
    if (!this.#dialog.state.isDirty) this.type = kept.method?.type ?? this.type;
    return kept;
  }

  async #save({ id, name }: DeviceAnswer, data: FormData): Promise<void | "stay"> {
    const body = bodyFrom(this.type, data);
    const { publicKey } = await setPowerMethod(id, body);
    toast(`${name} can be powered off this way now`);
    const isNew = body.secrets?.privateKey !== undefined || !this.#kept.value?.secretsSet.includes("privateKey");
    if (publicKey === null || !isNew) return;
    this.#dialog.state.isDirty = false; // the hub has it
    this.publicKey = publicKey;
    return "stay";
  }
}
