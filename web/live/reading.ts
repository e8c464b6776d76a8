import { type LitElement, type ReactiveController, type TemplateResult, html, nothing } from "lit";
import { CallError } from "../api/call.ts";

/**
 * Reads what is not live for its element: when that comes on the page, when it is told to, and every so often while somebody
 * looks. What was read stays on the page when it cannot be read again, and the reason stands above it.
 */
export class Reading<Value> implements ReactiveController {
  value: Value | undefined;
  problem = "";

  readonly #host: LitElement;
  readonly #read: () => Promise<Value>;
  readonly #everyMs: number | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #last = 0;

  constructor(host: LitElement, read: () => Promise<Value>, everyMs?: number) {
    this.#host = host;
    this.#read = read;
    this.#everyMs = everyMs;
    host.addController(this);
  }

  hostConnected(): void {
    globalThis.addEventListener("logged-in-again", this.#reread);
    if (this.#everyMs !== undefined)
      this.#timer = setInterval(() => void (document.hidden || this.again()), this.#everyMs);
    void this.again();
  }

  hostDisconnected(): void {
    globalThis.removeEventListener("logged-in-again", this.#reread);
    clearInterval(this.#timer);
  }

  /** An answer that a later one overtook is not shown. */
  async again(): Promise<void> {
    const turn = ++this.#last;
    const [value, problem] = await this.#try();
    if (turn !== this.#last) return;
    if (value !== undefined) this.value = value;
    this.problem = problem;
    this.#host.requestUpdate();
  }

  render(view: (value: Value) => TemplateResult) {
    if (this.problem === "" && this.value === undefined) return html`<p class="quiet" role="status">Loading…</p>`;
    return html`${
      this.problem
        ? html`<div class="problem" role="alert">
            ${this.problem} <button type="button" @click=${this.#reread}>Try again</button>
          </div>`
        : nothing
    }
    ${this.value === undefined ? nothing : view(this.value)}`;
  }

  async #try(): Promise<[Value | undefined, string]> {
    try {
      return [await this.#read(), ""];
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      return [undefined, error.message];
    }
  }

  readonly #reread = (): void => void this.again();
}
