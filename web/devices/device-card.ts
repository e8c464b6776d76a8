import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import { hrefOf } from "../api/address.ts";
import { controls } from "../app/controls.ts";
import { pathOf } from "../app/router.ts";
import type { PowerOffNews, WakeNews } from "../live/live-store.ts";
import { Seconds } from "../live/seconds.ts";
import { isInNeedOfDoctor, noteOf, powerSentence, wakeProgress } from "../words/device.ts";
import { exactly } from "../words/instants.ts";
import { PowerButton } from "./power-button.ts";
import "./power-light.ts";

/**
 * One device: what it is doing, and the button that wakes it or powers it off.
 *
 * @fires wake @fires cancel-wake @fires power-off @fires cancel-power-off @fires doctor each bubbles, with the device
 */
@customElement("device-card")
export class DeviceCard extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: block;
      }
      article {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr) auto;
        align-items: center;
        gap: var(--space-3);
        height: 100%;
        min-height: 5.75rem;
        padding: var(--space-3) var(--space-4);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface-raised);
        box-shadow: var(--shadow);
      }
      h3 {
        font-size: 1rem;
        font-weight: 600;
        line-height: 1.3;
        overflow-wrap: anywhere;
      }
      h3 a {
        color: inherit;
        text-decoration: none;
      }
      h3 a:hover {
        text-decoration: underline;
      }
      p {
        overflow-wrap: anywhere;
        font-variant-numeric: tabular-nums;
      }
      .state {
        color: var(--text-quiet);
      }
      .state.on {
        color: var(--power-on);
      }
      .state.waking,
      .state.stopping {
        color: var(--power-waking);
        font-weight: 550;
      }
      .note {
        font-size: var(--size-small);
        line-height: 1.4;
        text-wrap: balance;
      }
      .why {
        display: inline;
        min-height: 0;
        padding: 0;
        border: 0;
        background: none;
        color: var(--accent);
        font-size: inherit;
        text-decoration: underline;
        text-underline-offset: 0.15em;
      }
      .note.warning {
        color: var(--warning);
      }
      .note.problem {
        padding: 0;
        background: none;
        color: var(--danger);
      }
    `,
  ];

  @property({ attribute: false }) device: DeviceAnswer | undefined;
  @property({ attribute: false }) news: WakeNews | undefined;
  /** What was heard of its newest power-off. */
  @property({ attribute: false }) steps: readonly PowerOffNews[] = [];
  @property({ type: Boolean }) mayWake = false;
  @property({ type: Boolean }) mayPower = false;
  /** A request is on its way to the hub. */
  @property({ type: Boolean }) asking = false;
  /** Why the last request was refused. */
  @property() problem: string | undefined;
  /** The hub's clock. */
  @property({ attribute: false }) clock: () => number = Date.now;

  readonly #seconds = new Seconds(this);
  readonly #power = new PowerButton(this, { anyway: false, named: true, rest: "h3 a" });

  override willUpdate(): void {
    const { power, powerOff } = this.device ?? {};
    this.#seconds.run(power === "waking" || power === "stopping" || Boolean(powerOff));
  }

  override render() {
    const { device } = this;
    if (!device) return nothing;
    const nowMs = this.clock();
    const { power, since, watts } = device;
    const { done, isSlow } = wakeProgress(device, nowMs);
    const words = `${powerSentence(device, nowMs)}${watts === null ? "" : ` · ${Math.round(watts)} W`}`;
    return html`<article aria-labelledby="name">
      <power-light .power=${power} .progress=${done} ?slow=${isSlow}></power-light>
      <div>
        <h3 id="name"><a href=${hrefOf(pathOf({ kind: "device", key: device.key }))}>${device.name}</a></h3>
        <p class="state ${power}" title=${since ? exactly(since) : nothing}>${words}</p>
        ${this.#note(device, nowMs)}
      </div>
      ${this.#power.render(device, this, this.asking)}
    </article>`;
  }

  #note(device: DeviceAnswer, nowMs: number) {
    if (this.problem) return html`<p class="note problem" role="alert">${this.problem}</p>`;
    const note = noteOf(device, this.news, { ...this.#around, nowMs });
    if (!note) return nothing;
    const why = this.mayWake && isInNeedOfDoctor(device) ? this.#why(device) : nothing;
    return html`<p class="note ${note.tone}">${note.text}${why}</p>`;
  }

  get #around() {
    const { mayWake, mayPower, steps } = this;
    return { mayWake, mayPower, steps };
  }

  #why(device: DeviceAnswer) {
    const ask = () => this.dispatchEvent(new CustomEvent("doctor", { detail: device, bubbles: true, composed: true }));
    return html` <button class="why" aria-label="Why did ${device.name} not wake?" aria-haspopup="dialog" @click=${ask}>
      Why?
    </button>`;
  }
}
