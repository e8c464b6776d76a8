import { LitElement, css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import type { MeAnswer } from "#contracts/api/accounts.ts";
import "../account/change-password.ts";
import "../account/login-form.ts";
import { Session, session } from "../account/session.ts";
import "../account/setup-form.ts";
import { isSetUp, logOut } from "../api/accounts.ts";
import { currentPath, hrefOf } from "../api/address.ts";
import { CallError } from "../api/call.ts";
import { chooseSite } from "../api/site.ts";
import "../dashboard/dashboard-page.ts";
import "../dashboard/top-bar.ts";
import { keepOpen } from "../form/keep-open.ts";
import { live } from "../live/live.ts";
import "../settings/settings-page.ts";
import { ROLE_WORDS } from "../words/roles.ts";
import { controls } from "./controls.ts";
import "./fetched-page.ts";
import { type Route, followInPlace, navigate, onNavigation, pathOfSection, routeOf } from "./router.ts";
import { toast } from "./toast-list.ts";

const RETRY_MS = 3_000;
const SCHEDULES = html`<schedules-page></schedules-page>`;
const loadSchedules = () => import("../schedules/schedules-page.ts");
const IN_NO_SITE = "Your account has not been let in anywhere yet. Ask an administrator.";

/**
 * The frame of the page: finds out whether the hub is set up and who is logged in, and shows what belongs there. When a
 * session ends while somebody works, the log-in comes above the page, and what was typed below stays.
 *
 * Pages inside it say `log-out`, and `site-chosen` with the key of a site.
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
      .note {
        max-width: var(--width-page);
        margin: 0 auto;
        padding: var(--space-6) var(--space-4);
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
        backdrop-filter: blur(0.75rem); /* whoever comes by reads nothing of it */
      }
    `,
  ];

  @state() private route: Route = routeOf(currentPath());
  @state() private who: "asking" | "not-set-up" | "nobody" | "somebody" = "asking";
  @state() private isSessionOver = false;
  @state() private problem = "";

  readonly #session = new Session(this);
  /** Whose rows the page holds. */
  #enteredId: string | undefined;
  #stopListening = (): void => {};
  #retry: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stopListening = onNavigation(this.#navigated);
    this.addEventListener("click", followInPlace);
    this.addEventListener("log-out", this.#logOut);
    this.addEventListener("site-chosen", this.#siteChosen);
    globalThis.addEventListener("session-doubtful", this.#checkSession);
    document.addEventListener("visibilitychange", this.#seen);
    void this.#begin();
  }

  override disconnectedCallback(): void {
    this.#stopListening();
    this.removeEventListener("click", followInPlace);
    this.removeEventListener("log-out", this.#logOut);
    this.removeEventListener("site-chosen", this.#siteChosen);
    globalThis.removeEventListener("session-doubtful", this.#checkSession);
    document.removeEventListener("visibilitychange", this.#seen);
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
    switch (this.who) {
      case "asking":
        return html`<main class="alone"><p class="quiet" role="status">${this.problem || "Loading…"}</p></main>`;
      case "not-set-up":
        return html`<main class="alone"><setup-form @set-up=${this.#loggedIn}></setup-form></main>`;
      case "nobody":
        return html`<main class="alone"><login-form @logged-in=${this.#loggedIn}></login-form></main>`;
      case "somebody":
        return this.#session.store.me ? this.#pageOf(this.#session.store.me) : nothing;
    }
  }

  #pageOf({ mustChangePassword, site }: MeAnswer) {
    const { route } = this;
    if (mustChangePassword)
      return html`<main class="alone"><change-password @changed=${this.#loggedIn}></change-password></main>`;
    if (route.page === "settings") return html`<settings-page .section=${route.section}></settings-page>`;
    if (!site)
      return html`<top-bar></top-bar>
        <main class="note"><p>${IN_NO_SITE}</p></main>`;
    if (route.page === "schedules")
      return html`<fetched-page .load=${loadSchedules} .view=${SCHEDULES}></fetched-page>`;
    const opened = route.page === "dashboard" ? route.opened : undefined;
    return html`<dashboard-page .opened=${opened}></dashboard-page>`;
  }

  #loginAbove() {
    return html`<dialog
      aria-label="Log in again"
      @cancel=${(event: Event) => event.preventDefault()}
      @keydown=${keepOpen}
      @close=${() => this.requestUpdate()}
    >
      <login-form again @logged-in=${this.#loggedIn} @leave=${this.#leave}></login-form>
    </dialog>`;
  }

  async #begin(): Promise<void> {
    try {
      const me = await session.load();
      if (me) this.#enter(me);
      else this.who = (await isSetUp()) ? "nobody" : "not-set-up";
      if (this.who === "nobody" && this.route.page === "setup") navigate("/login");
      if (this.who === "not-set-up") navigate("/setup");
    } catch (error) {
      this.problem = error instanceof CallError ? error.message : String(error);
      this.#retry = setTimeout(() => void this.#begin(), RETRY_MS);
    }
  }

  #enter({ id, site, mustChangePassword }: MeAnswer): void {
    if (id === this.#enteredId) live.close();
    else live.forget();
    this.#enteredId = id;
    this.who = "somebody";
    this.isSessionOver = false;
    if (site && !mustChangePassword) live.start();
    if (this.route.page === "login" || this.route.page === "setup") navigate("/");
  }

  /** The browser's own way back does not throw away what was typed in the settings: the form that holds it asks, and stays. */
  readonly #navigated = (): void => {
    const { route } = this;
    if (route.page === "settings" && !globalThis.dispatchEvent(new Event("leaving", { cancelable: true })))
      history.pushState(null, "", hrefOf(pathOfSection(route.section)));
    else this.route = routeOf(currentPath());
  };

  /** Whether it was the session that ended, a right that was taken away, or only the connection. */
  readonly #checkSession = (): void => void this.#askWhoIsLoggedIn();

  /** Nobody tells the page that its account belongs to another site, too: it asks when somebody looks. */
  readonly #seen = (): void => {
    if (!document.hidden && this.who === "somebody") this.#checkSession();
  };

  async #askWhoIsLoggedIn(): Promise<void> {
    const before = session.me;
    try {
      const me = await session.load();
      this.isSessionOver = me === undefined;
      if (!me) live.close(); // it would be refused until somebody logs in
      if (me?.role && isAnotherRole(before, me)) toast(`Your role is ${ROLE_WORDS[me.role].label} now`);
    } catch {
      // the hub cannot be reached: the live store tries again, and the page says so
    }
  }

  readonly #loggedIn = (): void => {
    const { me } = this.#session.store;
    if (!me) return;
    this.renderRoot.querySelector("dialog")?.close(); // gives the focus back to where it was
    this.#enter(me);
    globalThis.dispatchEvent(new Event("logged-in-again"));
  };

  /** Nothing of what was shown stays, nor of what was typed. */
  readonly #leave = (): void => {
    live.forget();
    session.forget();
    this.#enteredId = undefined;
    this.isSessionOver = false;
    this.who = "nobody";
    navigate("/login");
  };

  readonly #logOut = (): void => void this.#endSession();

  async #endSession(): Promise<void> {
    try {
      const goOnAt = await logOut();
      this.#leave();
      if (goOnAt !== null) location.assign(goOnAt);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      toast(`You are still logged in: ${error.message}`, "bad");
    }
  }

  readonly #siteChosen = (event: Event): void => void this.#showSite((event as CustomEvent<string>).detail);

  async #showSite(key: string): Promise<void> {
    chooseSite(key);
    live.forget(); // what one site has is not for the other
    navigate("/");
    try {
      const me = await session.load();
      if (me) this.#enter(me);
      this.isSessionOver = me === undefined;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      toast(error.message, "bad");
    }
  }
}

/** Somebody gave the account another role where it was. */
function isAnotherRole(before: MeAnswer | undefined, now: MeAnswer): boolean {
  return before?.id === now.id && before.site?.id === now.site?.id && before.role !== now.role;
}
