import { type LitElement, type TemplateResult, html, nothing } from "lit";
import { CallError } from "../api/call.ts";
import { toast } from "../app/toast-list.ts";

interface Deletion {
  /** What goes. */
  readonly name: string;
  readonly label: string;
  /** What goes with it, as a question. */
  readonly question: string | TemplateResult;
  readonly work: () => Promise<void>;
  readonly words?: DeletionWords;
}

/** What is done, while it is done, and that it was. */
interface DeletionWords {
  readonly act: string;
  readonly busy: string;
  readonly done: string;
}

const DELETE: DeletionWords = { act: "Delete", busy: "Deleting…", done: "deleted" };

/** Deletes what a dialog shows, after it has asked. It closes the dialog when it is done. */
export class DeleteButton {
  readonly #host: LitElement;
  readonly #dialog: { close(): void };
  #step: "idle" | "asks" | "works" = "idle";
  #problem = "";

  constructor(host: LitElement, dialog: { close(): void }) {
    this.#host = host;
    this.#dialog = dialog;
  }

  /** While it asks, nothing else is offered beside it. */
  get isAsking(): boolean {
    return this.#step !== "idle";
  }

  render(deletion: Deletion) {
    const { label, question, words = DELETE } = deletion;
    if (this.#step === "idle")
      return html`<button type="button" class="danger plain" data-safe @click=${() => this.#go("asks")}>
        ${label}
      </button>`;
    const isWorking = this.#step === "works";
    return html`<div class="buttons" role="alert">
      <div class="fill">
        ${this.#problem ? html`<p class="problem">Nothing was ${words.done}: ${this.#problem}</p>` : nothing}
        ${question}
      </div>
      ${isWorking ? nothing : html`<button type="button" data-safe @click=${() => this.#go("idle")}>Keep</button>`}
      <button
        type="button"
        class="danger primary"
        aria-disabled=${isWorking ? "true" : "false"}
        @click=${() => void this.#delete(deletion)}
      >
        ${isWorking ? words.busy : words.act}
      </button>
    </div>`;
  }

  async #delete({ name, work, words = DELETE }: Deletion): Promise<void> {
    if (this.#step === "works") return;
    this.#problem = "";
    this.#go("works");
    try {
      await work();
      toast(`${name} is ${words.done}`);
      this.#dialog.close();
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
      this.#go("asks");
      if (!(error instanceof CallError)) throw error;
    }
  }

  #go(step: "idle" | "asks" | "works"): void {
    this.#step = step;
    if (step === "idle") this.#problem = "";
    this.#host.requestUpdate();
    void this.#focus();
  }

  /** The button that was pressed is gone; the focus goes to the choice that loses nothing, or back. */
  async #focus(): Promise<void> {
    await this.#host.updateComplete;
    this.#host.shadowRoot?.querySelector<HTMLElement>("footer [data-safe]")?.focus();
  }
}
