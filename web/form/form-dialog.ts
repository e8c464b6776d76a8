import { type LitElement, type TemplateResult, css, html, nothing } from "lit";
import { mdiClose } from "@mdi/js";
import { icon, iconStyles } from "../app/icon.ts";
import { FormState } from "./form-state.ts";

export interface DialogWords {
  readonly title: string;
  /** What the button does: "Save". Null where there is nothing to do; the words say why. */
  readonly submit: string | null;
  /** While it does: "Saving…". */
  readonly busy: string;
  /** What the other button does: it leaves everything as it was. */
  readonly cancel?: string;
  readonly isDangerous?: boolean;
}

/**
 * A form in a dialog that loses nothing: it closes when the hub has taken what was typed, or when a person says that it may
 * be discarded. Its element is on the page while the dialog is open, and says `closed` when it may go.
 */
export class FormDialog {
  readonly state: FormState;
  readonly #host: LitElement;
  #asksToDiscard = false;

  constructor(host: LitElement) {
    this.#host = host;
    this.state = new FormState(host);
    host.addController({
      hostConnected: () => globalThis.addEventListener("leaving", this.#asked),
      hostDisconnected: () => globalThis.removeEventListener("leaving", this.#asked),
    });
  }

  /** Whether it has to be asked before it goes: it holds what was typed, or the hub has not answered yet. */
  get isHeld(): boolean {
    return this.#dialog()?.open === true && (this.state.isDirty || this.state.isBusy);
  }

  /** Call it in `firstUpdated`. */
  open(): void {
    this.#dialog()?.showModal();
  }

  close(): void {
    this.#dialog()?.close();
  }

  /**
   * @param work `stay`: there is another step, and the dialog stays open for it.
   * @param deletion the button that deletes what is edited, and whether it is asking whether it may.
   */
  render(
    words: DialogWords,
    fields: TemplateResult,
    work: (data: FormData) => Promise<void | "stay">,
    deletion?: { readonly button: TemplateResult; readonly isAsking: boolean },
  ) {
    const { state } = this;
    return html`<dialog
      aria-labelledby="title"
      @keydown=${this.#keyPressed}
      @cancel=${this.#cancelled}
      @close=${this.#closed}
    >
      <form
        novalidate
        @input=${() => state.touch()}
        @submit=${(event: SubmitEvent) => void this.#submitted(event, work)}
      >
        <div class="head">
          <h2 id="title">${words.title}</h2>
          <button class="plain icon-only" type="button" aria-label="Close" @click=${this.leave}>
            ${icon(mdiClose)}
          </button>
        </div>
        <div class="body fields">${fields}</div>
        <footer>
          ${state.problem ? html`<p class="problem" role="alert">${state.problem}</p>` : nothing}
          ${this.#asksToDiscard ? this.#discard() : deletion?.isAsking ? deletion.button : this.#buttons(words, deletion?.button)}
        </footer>
      </form>
    </dialog>`;
  }

  /** For whoever may look, and not change. */
  renderFacts(title: string, facts: TemplateResult) {
    return html`<dialog aria-labelledby="title" @close=${this.#closed}>
      <div class="head">
        <h2 id="title">${title}</h2>
        <button class="plain icon-only" type="button" aria-label="Close" @click=${this.leave}>${icon(mdiClose)}</button>
      </div>
      <div class="body fields">${facts}</div>
    </dialog>`;
  }

  #buttons({ submit, busy, cancel = "Cancel", isDangerous = false }: DialogWords, aside: TemplateResult | undefined) {
    const { isBusy } = this.state;
    return html`<div class="buttons">
      <div class="fill">${aside ?? nothing}</div>
      <button type="button" @click=${this.leave}>${submit === null ? "Close" : cancel}</button>
      ${
        submit === null
          ? nothing
          : html`<button
              class="primary ${isDangerous ? "danger" : ""}"
              aria-disabled=${isBusy ? "true" : "false"}
              @click=${onceOnly}
            >
              ${isBusy ? busy : submit}
            </button>`
      }
    </div>`;
  }

  #discard() {
    return html`<div class="buttons" role="alert">
      <p class="fill">Discard what you typed?</p>
      <button type="button" data-safe @click=${this.#keep}>Keep editing</button>
      <button type="button" class="danger primary" @click=${() => this.close()}>Discard</button>
    </div>`;
  }

  async #submitted(event: SubmitEvent, work: (data: FormData) => Promise<void | "stay">): Promise<void> {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    let isOver = true;
    const isDone = await this.state.submit(async () => {
      isOver = (await work(data)) !== "stay";
    });
    if (isDone && isOver) this.close();
  }

  /** Browsers close a dialog on the second Escape, whatever is said to its `cancel`; so Escape never gets that far. */
  readonly #keyPressed = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    this.leave();
  };

  /** A phone's own way back. */
  readonly #cancelled = (event: Event): void => {
    event.preventDefault();
    this.leave();
  };

  /** As its button for leaving: asks first where something would be lost. */
  readonly leave = (): void => {
    if (this.state.isBusy) return;
    if (!this.state.isDirty) return this.close();
    this.#asksToDiscard = true;
    void this.#focusSafeChoice();
  };

  readonly #asked = (event: Event): void => {
    if (!this.isHeld) return;
    event.preventDefault();
    this.leave();
  };

  readonly #keep = (): void => {
    this.#asksToDiscard = false;
    this.#host.requestUpdate();
    this.#dialog()?.querySelector<HTMLElement>("input, select, textarea")?.focus();
  };

  readonly #closed = (): void => {
    if (this.state.isBusy) return this.open(); // the browser closed it: the hub has not answered yet
    this.#host.dispatchEvent(new CustomEvent("closed"));
  };

  /** The button that was pressed is gone; the focus goes to the choice that loses nothing. */
  async #focusSafeChoice(): Promise<void> {
    this.#host.requestUpdate();
    await this.#host.updateComplete;
    this.#dialog()?.querySelector<HTMLElement>("footer [data-safe]")?.focus();
  }

  #dialog(): HTMLDialogElement | null | undefined {
    return this.#host.shadowRoot?.querySelector("dialog");
  }
}

/** The second of a double click is no answer to what the first one brought up. */
function onceOnly(event: MouseEvent): void {
  if (event.detail > 1) event.preventDefault();
}

export const dialogStyles = [
  iconStyles,
  css`
    dialog {
      width: min(36rem, calc(100vw - 2 * var(--space-4)));
      max-width: none;
      max-height: min(54rem, calc(100dvh - 2 * var(--space-5)));
      padding: 0;
      border: 0;
      border-radius: var(--radius);
      background: var(--surface-raised);
      color: var(--text);
      box-shadow: var(--shadow-dialog);
      overflow: hidden;
    }
    dialog[open] {
      display: flex;
      flex-direction: column;
    }
    dialog::backdrop {
      background: #0b0e1180;
    }
    dialog > form {
      display: contents;
    }
    .head,
    footer {
      flex: none;
      padding: var(--space-4) var(--space-5);
    }
    .head {
      display: flex;
      align-items: center;
      gap: var(--space-3);
      padding-bottom: var(--space-2);
    }
    .head h2 {
      flex: 1;
      min-width: 0;
      font-size: var(--size-title);
      line-height: 1.3;
      overflow-wrap: anywhere;
    }
    .head button {
      margin-right: calc(-1 * var(--space-2));
    }
    .body {
      flex: 1;
      min-height: 0;
      padding: var(--space-2) var(--space-5) var(--space-4);
      overflow-y: auto;
      overflow-wrap: anywhere;
      overscroll-behavior: contain;
    }
    footer {
      display: grid;
      gap: var(--space-3);
      border-top: 1px solid var(--line);
      padding-bottom: max(var(--space-4), env(safe-area-inset-bottom));
    }
    .buttons {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      justify-content: end;
      gap: var(--space-2);
    }
    .fill {
      flex: 1;
      min-width: 0;
      overflow-wrap: anywhere;
    }
    /* its words begin where those above it do */
    .fill > button.plain {
      margin-left: calc(-1 * var(--space-4));
    }
    @media (max-width: 40rem) {
      dialog {
        width: 100vw;
        max-height: 94dvh;
        margin: auto 0 0;
        border-radius: var(--radius) var(--radius) 0 0;
      }
      .head,
      footer,
      .body {
        padding-inline: var(--space-4);
      }
      /* a question is not squeezed beside its answers */
      .buttons[role="alert"] > .fill {
        flex-basis: 100%;
      }
    }
  `,
];

/** Parts of a form that are folded until somebody wants them. */
export const foldStyles = css`
  details {
    border-top: 1px solid var(--line);
    padding-top: var(--space-3);
  }
  summary {
    font-weight: 550;
    cursor: pointer;
  }
  details > .fields {
    padding-top: var(--space-3);
  }
`;
