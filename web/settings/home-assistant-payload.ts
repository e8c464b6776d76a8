import { mdiCheck, mdiContentCopy } from "@mdi/js";
import { LitElement, css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { controls } from "../app/controls.ts";
import { copied } from "../app/copy-text.ts";
import { icon, iconStyles } from "../app/icon.ts";

const SHOWN_MS = 2_000;

/** A payload as people read JSON, with the button that copies it. */
@customElement("home-assistant-payload")
export class HomeAssistantPayload extends LitElement {
  static override styles = [
    controls,
    iconStyles,
    css`
      figure {
        position: relative;
        margin: 0;
        border: 1px solid var(--line);
        border-radius: var(--radius-small);
        background: var(--surface-sunken);
      }
      pre {
        max-height: 24rem;
        margin: 0;
        padding: var(--space-3);
        overflow: auto;
        border-radius: inherit;
        font: var(--size-small) / 1.5 var(--font-mono);
        tab-size: 2;
      }
      button {
        position: absolute;
        top: var(--space-1);
        right: var(--space-4);
      }
    `,
  ];

  @property({ attribute: false }) payload: unknown;
  /** What it is, for those who do not see it: its topic. */
  @property() what = "payload";
  @state() private isCopied = false;

  override render() {
    return html`<figure>
      <pre tabindex="0" role="region" aria-label="Payload of ${this.what}">
${JSON.stringify(this.payload, null, 2)}</pre>
      <button class="icon-only" title="Copy" aria-label="Copy the payload of ${this.what}" @click=${this.#copy}>
        ${icon(this.isCopied ? mdiCheck : mdiContentCopy)}
      </button>
      <span class="visually-hidden" role="status">${this.isCopied ? "Copied" : ""}</span>
    </figure>`;
  }

  readonly #copy = async (): Promise<void> => {
    this.isCopied = await copied(JSON.stringify(this.payload, null, 2), this.renderRoot.querySelector("pre"));
    setTimeout(() => (this.isCopied = false), SHOWN_MS);
  };
}
