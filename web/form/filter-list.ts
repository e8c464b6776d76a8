import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { controls } from "../app/controls.ts";

/** So many are read at a glance. */
const FEW = 12;

/**
 * The checkboxes inside it; above many of them a box that finds them by their words. What is ticked stays so, shown or not.
 */
@customElement("filter-list")
export class FilterList extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: grid;
        gap: var(--space-3);
        min-width: 0;
      }
      .many {
        max-height: 18rem;
        padding: var(--space-1);
        overflow-y: auto;
      }
    `,
  ];

  /** What they are: "devices". */
  @property() what = "";
  @property({ type: Number }) size = 0;
  @state() private text = "";
  @state() private isEmpty = false;

  override render() {
    if (this.size <= FEW) return html`<slot></slot>`;
    return html`<input
        type="search"
        aria-label="Find ${this.what}"
        placeholder="Find ${this.what}"
        autocomplete="off"
        @input=${this.#typed}
        @keydown=${this.#keyPressed}
      />
      <div class="many">
        <slot></slot>
        ${this.isEmpty ? html`<p class="quiet" role="status">None is called “${this.text}”.</p>` : nothing}
      </div>`;
  }

  /** Nothing of the form was changed by that. */
  readonly #typed = (event: Event): void => {
    event.stopPropagation();
    this.#show((event.target as HTMLInputElement).value.trim());
  };

  /** Escape leaves what was looked for, not the dialog around it. */
  readonly #keyPressed = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || this.text === "") return;
    event.preventDefault();
    event.stopPropagation();
    (event.target as HTMLInputElement).value = "";
    this.#show("");
  };

  #show(text: string): void {
    this.text = text;
    this.isEmpty = true;
    for (const check of this.querySelectorAll<HTMLElement>(".check")) {
      const words = check.querySelector("label")?.textContent ?? "";
      check.hidden = !words.toLowerCase().includes(text.toLowerCase());
      this.isEmpty &&= check.hidden;
    }
  }
}
