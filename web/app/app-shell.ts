import { LitElement, css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import type { UserAnswer } from "#contracts/api/accounts.ts";
import { isSetUp, whoAmI } from "../api/accounts.ts";
import { CallError } from "../api/call.ts";
import "../account/login-form.ts";
import "../account/setup-form.ts";
import "../dashboard/dashboard-page.ts";
import { live } from "../live/live.ts";
import { controls } from "./controls.ts";
import { type Route, followInPlace, navigate, onNavigation, routeOf } from "./router.ts";
import "./toast-list.ts";

const RETRY_MS = 3_000;

/**
 * The frame of the page: finds out whether the hub is set up and who is logged in, and shows what belongs there. When a
 * session ends while somebody works, the log-in comes above the page, and what was typed below stays.
 */
@customElement("app-shell")
export class AppShell extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: block;
        min-height: 100dvh;
      }
      .alone {
        display: grid;
        place-content: center;
        grid-template-columns: minmax(0, 25rem);
        min-height: 100dvh;
        padding: var(--space-5) var(--space-4);
      }
      dialog {
        width: min(27rem, calc(100vw - 2 * var(--space-4)));
        padding: 0;
        border: 0;
        border-radius: var(--radius);
        background: none;
        color: inherit;
      }
      dialog::backdrop {
        background: #0009;
      }
    `,
  ];

  @state() private route: Route = routeOf(location.pathname);
  /** Undefined until the hub said. */
  @state() private account: UserAnswer | "nobody" | "not-set-up" | undefined;
  @state() private isSessionOver = false;
  @state() private problem = "";

  #stopListening = (): void => {};
  #retry: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stopListening = onNavigation(() => (this.route = routeOf(location.pathname)));
    this.addEventListener("click", followInPlace);
    globalThis.addEventListener("session-doubtful", this.#checkSession);
    void this.#begin();
  }

  override disconnectedCallback(): void {
    this.#stopListening();
    this.removeEventListener("click", followInPlace);
    globalThis.removeEventListener("session-doubtful", this.#checkSession);
    clearTimeout(this.#retry);
    live.close();
    super.disconnectedCallback();
  }

  override render() {
    return html`${this.#page()}${this.isSessionOver ? this.#loginAbove() : nothing}<toast-list></toast-list>`;
  }

  override updated(): void {
    const dialog = this.renderRoot.querySelector("dialog");
    if (dialog && !dialog.open) dialog.showModal();
  }

  #page() {
    switch (this.account) {
      case undefined:
        return html`<main class="alone"><p class="quiet" role="status">${this.problem || "Loading…"}</p></main>`;
      case "not-set-up":
        return html`<main class="alone"><setup-form @set-up=${this.#loggedIn}></setup-form></main>`;
      case "nobody":
        return html`<main class="alone"><login-form @logged-in=${this.#loggedIn}></login-form></main>`;
      default:
        return html`<dashboard-page
          .account=${this.account}
          .opened=${this.route.page === "dashboard" ? this.route.opened : undefined}
          @logged-out=${this.#loggedOut}
        ></dashboard-page>`;
    }
  }

  #loginAbove() {
    return html`<dialog
      aria-label="Log in again"
      @cancel=${(event: Event) => event.preventDefault()}
      @keydown=${keepOpen}
      @close=${() => this.requestUpdate()}
    >
      <login-form again @logged-in=${this.#loggedIn}></login-form>
    </dialog>`;
  }

  async #begin(): Promise<void> {
    try {
      const user = await whoAmI();
      if (user) this.#enter(user);
      else this.account = (await isSetUp()) ? "nobody" : "not-set-up";
      if (this.account === "nobody" && this.route.page === "setup") navigate("/login");
      if (this.account === "not-set-up") navigate("/setup");
    } catch (error) {
      this.problem = error instanceof CallError ? error.message : String(error);
      this.#retry = setTimeout(() => void this.#begin(), RETRY_MS);
    }
  }

  #enter(user: UserAnswer): void {
    this.account = user;
    this.isSessionOver = false;
    live.start();
    if (this.route.page !== "dashboard") navigate("/");
  }

  /** Whether it was the session that ended, or only the connection. */
  readonly #checkSession = (): void => void this.#askWhoIsLoggedIn();

  async #askWhoIsLoggedIn(): Promise<void> {
    try {
      this.isSessionOver = (await whoAmI()) === undefined;
    } catch {
      // the hub cannot be reached: the live store tries again, and the page says so
    }
  }

  readonly #loggedIn = (event: CustomEvent<UserAnswer>): void => {
    const isSame = typeof this.account === "object" && this.account.id === event.detail.id;
    if (isSame) live.close();
    else live.forget();
    this.renderRoot.querySelector("dialog")?.close(); // gives the focus back to where it was
    this.#enter(event.detail);
    globalThis.dispatchEvent(new Event("logged-in-again"));
  };

  readonly #loggedOut = (): void => {
    live.forget();
    this.account = "nobody";
    navigate("/login");
  };
}

/** Browsers close a dialog on the second Escape, whatever the page says to its `cancel`. */
function keepOpen(event: KeyboardEvent): void {
  if (event.key === "Escape") event.preventDefault();
}
