import { LitElement, css, html, nothing } from "lit";
import { customElement } from "lit/decorators.js";
import type { AuditAction } from "#contracts/api/audit.ts";
import { Session } from "../account/session.ts";
import type { AuditFilter as Filter } from "../api/audit.ts";
import { controls } from "../app/controls.ts";
import { selectField, textField } from "../form/fields.ts";
import { FormState } from "../form/form-state.ts";
import { textOf } from "../form/values.ts";
import { ACTION_WORDS, ACTOR_WORDS, RESULT_WORDS } from "../words/audit.ts";

/** How long somebody who types has to pause. Milliseconds. */
const PAUSE_MS = 300;

/** What only superusers read of. */
const OF_THE_HUB = /^(?:hub|sign-on|site)\./;

/**
 * What is looked for in the audit log.
 *
 * @fires filter with the filter, whenever it is another
 */
@customElement("audit-filter")
export class AuditFilter extends LitElement {
  static override styles = [
    controls,
    css`
      form {
        display: grid;
        gap: var(--space-3);
      }
      summary {
        padding: var(--space-1) 0;
        color: var(--accent);
        cursor: pointer;
      }
      .more {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(13rem, 100%), 1fr));
        gap: var(--space-3) var(--space-4);
        padding-top: var(--space-2);
      }
    `,
  ];

  readonly #session = new Session(this);
  readonly #form = new FormState(this);
  #pause: ReturnType<typeof setTimeout> | undefined;
  #last = "{}";

  override disconnectedCallback(): void {
    clearTimeout(this.#pause);
    super.disconnectedCallback();
  }

  override render() {
    const form = this.#form;
    return html`<form role="search" @submit=${this.#submitted} @input=${this.#typed} @change=${this.#chosen}>
      ${textField(form, { name: "q", label: "Find", placeholder: "part of a name or an address" })}
      <details>
        <summary>More filters</summary>
        <div class="more">
          ${selectField(form, { name: "action", label: "What", value: "", options: this.#actions() })}
          ${selectField(form, { name: "result", label: "Result", value: "", options: options(RESULT_WORDS) })}
          ${selectField(form, { name: "actor", label: "Who", value: "", options: options(ACTOR_WORDS) })}
          ${this.#scope()} ${textField(form, { name: "from", label: "From", type: "datetime-local" })}
          ${textField(form, { name: "to", label: "Until", type: "datetime-local" })}
        </div>
      </details>
    </form>`;
  }

  /** Nobody is asked about sites, who has one. */
  #actions() {
    const { store } = this.#session;
    const isOffered = (action: string) =>
      (store.may("hub:manage") || !OF_THE_HUB.test(action)) && (this.#hasSites() || !action.startsWith("site."));
    const offered = Object.entries(ACTION_WORDS).filter(([action]) => isOffered(action));
    return options(Object.fromEntries(offered) as Partial<Record<AuditAction, string>>);
  }

  #scope() {
    if (!this.#hasSites() || !this.#session.store.may("hub:manage")) return nothing;
    return selectField(this.#form, {
      name: "scope",
      label: "Where",
      value: "",
      options: options({ site: "In this site", hub: "In the whole hub" }),
    });
  }

  #hasSites(): boolean {
    return (this.#session.store.me?.sites.length ?? 0) > 1;
  }

  readonly #typed = (): void => {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.#tell(), PAUSE_MS);
  };

  readonly #chosen = (): void => this.#tell();

  readonly #submitted = (event: SubmitEvent): void => {
    event.preventDefault();
    this.#tell();
  };

  #tell(): void {
    clearTimeout(this.#pause);
    const form = this.renderRoot.querySelector("form");
    if (!form) return;
    const filter = filterFrom(new FormData(form));
    const now = JSON.stringify(filter);
    if (now === this.#last) return;
    this.#last = now;
    this.dispatchEvent(new CustomEvent("filter", { detail: filter }));
  }
}

/** The first of them is: all. */
function options(words: Readonly<Partial<Record<string, string>>>): { value: string; label: string }[] {
  const each = Object.entries(words).map(([value, label = value]) => ({ value, label }));
  return [{ value: "", label: "All" }, ...each];
}

function filterFrom(data: FormData): Filter {
  const given: [string, string][] = [];
  for (const name of ["q", "action", "result", "actor", "scope"]) given.push([name, textOf(data, name)]);
  for (const name of ["from", "to"]) given.push([name, instantOf(textOf(data, name))]);
  return Object.fromEntries(given.filter(([, value]) => value !== "")) as Filter; // the values of our own options
}

/** A field gives the time of this place without saying so: `2026-11-21T13:00`. */
function instantOf(text: string): string {
  return text === "" ? "" : new Date(text).toISOString();
}
