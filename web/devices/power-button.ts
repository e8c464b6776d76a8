import { type LitElement, type ReactiveController, html, nothing } from "lit";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import { type MayDo, type Offer, offerOf } from "./offer.rules.ts";

/** What its button does, by the event that it fires. */
const WORDS = {
  wake: { event: "wake", label: "Wake", of: "Wake" },
  "wake-anyway": { event: "wake-anyway", label: "Wake anyway", of: "Wake anyway:" },
  cancel: { event: "cancel-wake", label: "Cancel", of: "Cancel the wake of" },
  "power-off": { event: "power-off", label: "Power off", of: "Power off" },
  "cancel-power-off": { event: "cancel-power-off", label: "Keep on", of: "Keep on" },
} as const satisfies Partial<Record<Offer, object>>;

interface PowerButtonOptions {
  /** Whether it also wakes what is on. */
  readonly anyway: boolean;
  /** Whether its label names the device, because several stand side by side. */
  readonly named: boolean;
  /** Where the focus goes when there is nothing to do any more. */
  readonly rest: string;
}

/**
 * The one button for the power of a device, in the shadow root of the element that shows the device. It stays the same button
 * while its words change, so that who uses the page by keyboard stays where they are.
 */
export class PowerButton implements ReactiveController {
  readonly #host: LitElement;
  readonly #options: PowerButtonOptions;
  #hadFocus = false;

  constructor(host: LitElement, options: PowerButtonOptions) {
    this.#host = host;
    this.#options = options;
    host.addController(this);
  }

  hostUpdate(): void {
    this.#hadFocus = this.#button() !== null && this.#host.shadowRoot?.activeElement === this.#button();
  }

  hostUpdated(): void {
    if (this.#hadFocus && !this.#button())
      this.#host.shadowRoot?.querySelector<HTMLElement>(this.#options.rest)?.focus();
  }

  render(device: DeviceAnswer, mayDo: MayDo, isAsking: boolean) {
    const offer = offerOf(device, mayDo);
    if (offer === "nothing" || (offer === "wake-anyway" && !this.#options.anyway)) return nothing;
    const { event, label, of } = WORDS[offer];
    return html`<button
      id="power"
      class=${offer === "wake" ? "primary" : ""}
      aria-label=${this.#options.named ? `${of} ${device.name}` : nothing}
      aria-disabled=${isAsking ? "true" : "false"}
      aria-haspopup=${offer === "power-off" ? "dialog" : nothing}
      title=${offer === "wake-anyway" ? "Sends magic packets although it is seen to be on" : nothing}
      @click=${(click: MouseEvent) => (isAsking ? undefined : this.#pressed(event, device, click))}
    >
      ${isAsking ? "Asking…" : label}
    </button>`;
  }

  #pressed(event: string, device: DeviceAnswer, { detail: clicks }: MouseEvent): void {
    // the second of a double click on another button: this one stands there already
    if (event !== WORDS.wake.event && clicks > 1) return;
    this.#host.dispatchEvent(new CustomEvent(event, { detail: device, bubbles: true, composed: true }));
  }

  #button(): Element | null {
    return this.#host.shadowRoot?.querySelector("#power") ?? null;
  }
}
