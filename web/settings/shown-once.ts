import { type TemplateResult, css, html } from "lit";
import { controls } from "../app/controls.ts";
import { dialogStyles } from "../form/form-dialog.ts";
import { keepOpen } from "../form/keep-open.ts";

export const shownOnceStyles = [
  controls,
  ...dialogStyles,
  css`
    .step {
      display: grid;
      gap: var(--space-2);
    }
    h3 {
      font-size: 1rem;
    }
  `,
];

/** A dialog with a secret that is shown this once: no key closes it by mistake. The element opens it as a modal one. */
export function shownOnce(heading: string, body: TemplateResult, onClosed: () => void): TemplateResult {
  return html`<dialog
    aria-labelledby="title"
    @keydown=${keepOpen}
    @cancel=${(event: Event) => event.preventDefault()}
    @close=${onClosed}
  >
    <div class="head"><h2 id="title">${heading}</h2></div>
    <div class="body fields">${body}</div>
    <footer>
      <div class="buttons"><button class="primary" @click=${closeDialog}>I have copied it</button></div>
    </footer>
  </dialog>`;
}

function closeDialog(event: Event): void {
  (event.target as HTMLElement).closest("dialog")?.close(); // our own button
}
