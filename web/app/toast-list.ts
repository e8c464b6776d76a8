import { LitElement, css, html } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { controls } from "./controls.ts";

export interface Toast {
  readonly text: string;
  readonly tone: "good" | "bad";
}

const SHOWN_MS = 7_000;
/** More at once are read by nobody. */
const MAX_SHOWN = 4;

/** Says something that happened, for a while. */
export function toast(text: string, tone: Toast["tone"] = "good"): void {
  globalThis.dispatchEvent(new CustomEvent<Toast>("toast", { detail: { text, tone } }));
}

/** What happened a moment ago, at the lower edge of the page; read aloud by screen readers. */
@customElement("toast-list")
export class ToastList extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        position: fixed;
        inset: auto 0 var(--space-4);
        width: auto;
        margin: 0;
        padding: 0 var(--space-4);
        border: 0;
        background: none;
        pointer-events: none;
      }
      :host(:popover-open) {
        display: grid;
        justify-items: center;
        gap: var(--space-2);
      }
      p {
        max-width: 36rem;
        padding: var(--space-3) var(--space-4);
        border-radius: var(--radius-small);
        background: var(--text);
        color: var(--surface-raised);
        box-shadow: var(--shadow-dialog);
        overflow-wrap: anywhere;
      }
      p.bad {
        background: var(--danger);
      }
    `,
  ];

  @state() private shown: readonly Toast[] = [];

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute("role", "status");
    this.popover = "manual";
    globalThis.addEventListener("toast", this.#show);
  }

  override disconnectedCallback(): void {
    globalThis.removeEventListener("toast", this.#show);
    super.disconnectedCallback();
  }

  override render() {
    return repeat(
      this.shown,
      (each) => each,
      ({ text, tone }) => html`<p class=${tone}>${text}</p>`,
    );
  }

  readonly #show = (event: Event): void => {
    const { detail } = event as CustomEvent<Toast>;
    if (this.shown.some(({ text }) => text === detail.text)) return; // two who know of it, one message
    this.shown = [...this.shown, detail].slice(-MAX_SHOWN);
    this.#raise();
    setTimeout(() => {
      this.shown = this.shown.filter((each) => each !== detail);
      if (this.shown.length === 0) this.hidePopover();
    }, SHOWN_MS);
  };

  /** Above everything, open dialogs included: who comes last to the top layer lies on top. */
  #raise(): void {
    if (this.matches(":popover-open")) this.hidePopover();
    this.showPopover();
  }
}
