import type { ReactiveController, ReactiveControllerHost } from "lit";
import { CallError } from "../api/call.ts";

/**
 * What a form is doing and what is wrong with it. One submission at a time; what was typed stays until the hub has it.
 */
export class FormState implements ReactiveController {
  /** What is wrong with the whole, or with a field that the form does not show. */
  problem = "";
  isBusy = false;
  /** Whether somebody typed since it was opened. */
  isDirty = false;

  readonly #host: ReactiveControllerHost & HTMLElement;
  #errors: CallError["fields"] = [];

  constructor(host: ReactiveControllerHost & HTMLElement) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {
    globalThis.addEventListener("logged-in-again", this.#forgetProblem);
  }

  hostDisconnected(): void {
    globalThis.removeEventListener("logged-in-again", this.#forgetProblem);
  }

  /** What is wrong with a field, such as `mac`, or with a part of it, such as `wake.ports.0`. */
  errorAt(name: string): string | undefined {
    return this.#errors.find(({ path }) => path === name || path.startsWith(`${name}.`))?.message;
  }

  touch(): void {
    if (this.isDirty) return;
    this.isDirty = true;
    this.#host.requestUpdate();
  }

  /**
   * Does the work of the form once, however often its button is pressed.
   *
   * @returns whether it was done; if not, the form shows why, and the first field that is wrong has the focus.
   */
  async submit(work: () => Promise<void>): Promise<boolean> {
    if (this.isBusy) return false;
    this.#set({ isBusy: true, problem: "", errors: [] });
    try {
      await work();
      this.#set({ isBusy: false, problem: "", errors: [] });
      return true;
    } catch (error) {
      const { message, fields } = error instanceof CallError ? error : { message: String(error), fields: [] };
      this.#set({ isBusy: false, problem: message, errors: fields });
      if (!(error instanceof CallError)) throw error; // a fault of the page: its console has the rest
      await this.#host.updateComplete;
      this.#showFirstError(error);
      return false;
    }
  }

  /** Where each message stands at its field, the summary of all would only repeat them. */
  #showFirstError({ fields }: CallError): void {
    const wrong = [...(this.#host.shadowRoot?.querySelectorAll<HTMLElement>("[aria-invalid=true]") ?? [])];
    const isAllShown = fields.length > 0 && fields.every(({ path }) => this.#isShown(path));
    if (isAllShown) this.#set({ isBusy: false, problem: "", errors: fields });
    for (const folded of wrong.map((field) => field.closest("details"))) if (folded) folded.open = true;
    wrong[0]?.focus();
  }

  #isShown(path: string): boolean {
    const names = [...(this.#host.shadowRoot?.querySelectorAll("[aria-invalid=true]") ?? [])].map(
      (field) => field.getAttribute("name") ?? "",
    );
    return names.some((name) => path === name || path.startsWith(`${name}.`));
  }

  /** "Log in first" is done; what was typed can be sent again. */
  readonly #forgetProblem = (): void => {
    if (!this.isBusy) this.#set({ isBusy: false, problem: "", errors: [] });
  };

  #set(values: { isBusy: boolean; problem: string; errors: CallError["fields"] }): void {
    this.isBusy = values.isBusy;
    this.problem = values.problem;
    this.#errors = values.errors;
    this.#host.requestUpdate();
  }
}
