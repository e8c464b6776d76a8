import { mdiCheck, mdiContentCopy } from "@mdi/js";
import { LitElement, css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { controls } from "./controls.ts";
import { icon, iconStyles } from "./icon.ts";

const SHOWN_MS = 2_000;

/** A line to copy, with the button that does. */
@customElement("copy-text")
export class CopyText extends LitElement {
  static override styles = [
    controls,
    iconStyles,
    css`
      div {
        display: flex;
        align-items: start;
        gap: var(--space-2);
        padding: var(--space-2) var(--space-2) var(--space-2) var(--space-3);
        border: 1px solid var(--line);
        border-radius: var(--radius-small);
        background: var(--surface-sunken);
      }
      code {
        flex: 1;
        min-width: 0;
        padding: 0.45rem 0;
        font: 0.85rem / 1.5 var(--font-mono);
        overflow-wrap: anywhere;
        user-select: all;
      }
    `,
  ];

  @property() text = "";
  /** What it is, for those who do not see it: "command". */
  @property() what = "text";
  @state() private isCopied = false;

  override render() {
    return html`<div>
      <code>${this.text}</code>
      <button type="button" class="icon-only" title="Copy" aria-label="Copy the ${this.what}" @click=${this.#copy}>
        ${icon(this.isCopied ? mdiCheck : mdiContentCopy)}
      </button>
      <span class="visually-hidden" role="status">${this.isCopied ? "Copied" : ""}</span>
    </div>`;
  }

  readonly #copy = async (): Promise<void> => {
    this.isCopied = await copied(this.text, this.renderRoot.querySelector("code"));
    setTimeout(() => (this.isCopied = false), SHOWN_MS);
  };
}

/** Browsers give a clipboard only to pages that came by HTTPS or from this machine; elsewhere the older way works. */
export async function copied(text: string, shown: HTMLElement | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const selection = getSelection();
    if (shown) selection?.selectAllChildren(shown);
    return document.execCommand("copy");
  }
}
