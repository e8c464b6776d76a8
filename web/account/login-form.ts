import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { signOnProblem } from "#contracts/sign-on-problems.ts";
import { currentPath, hubAddress, isInHomeAssistant } from "../api/address.ts";
import { CallError } from "../api/call.ts";
import { signOn, signOnPath } from "../api/sign-on.ts";
import { controls } from "../app/controls.ts";
import { textField } from "../form/fields.ts";
import { FormState } from "../form/form-state.ts";
import { typed } from "../form/values.ts";
import { cardForm, cardStyles } from "./card.ts";
import { session } from "./session.ts";

const OTHER_PROBLEM = "The log-in by the provider did not come through. Try again, or ask an administrator.";

/**
 * @fires logged-in when the session knows the account
 * @fires leave when nobody wants what is still open
 */
@customElement("login-form")
export class LoginForm extends LitElement {
  static override styles = [
    controls,
    cardStyles,
    css`
      .or {
        display: grid;
        gap: var(--space-3);
        padding-top: var(--space-4);
        border-top: 1px solid var(--line);
      }
    `,
  ];

  /** Somebody was logged in, and the session ended. */
  @property({ type: Boolean }) again = false;
  /** What the provider is called, where one is set up. */
  @state() private provider: string | undefined;

  readonly #form = new FormState(this);

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.again) globalThis.addEventListener("focus", this.#returned);
    void this.#askForProvider();
  }

  override disconnectedCallback(): void {
    globalThis.removeEventListener("focus", this.#returned);
    super.disconnectedCallback();
  }

  override render() {
    const form = this.#form;
    return cardForm(
      form,
      {
        title: this.again ? "Log in again" : "Log in",
        intro: this.again ? "Your session has ended. What you were doing is still here." : undefined,
        problem: this.again ? undefined : problemOfAddress(),
        submit: "Log in",
        busy: "Logging in…",
      },
      html`${textField(form, { name: "username", label: "User name", autocomplete: "username", autofocus: true })}
      ${textField(form, {
        name: "password",
        label: "Password",
        type: "password",
        autocomplete: "current-password",
      })}`,
      this.#submitted,
      html`${this.provider === undefined ? nothing : this.#byProvider(this.provider)}
      ${this.again ? this.#leaving() : nothing}`,
    );
  }

  override firstUpdated(): void {
    this.renderRoot.querySelector("input")?.focus();
  }

  #leaving() {
    const leave = () => this.dispatchEvent(new CustomEvent("leave"));
    return html`<button type="button" class="plain" @click=${leave}>Discard it and leave</button>`;
  }

  /** Where something is still open below, the provider's pages come beside it. */
  #byProvider(name: string) {
    if (isInHomeAssistant()) return elsewhere(name);
    const path = signOnPath(this.again ? "/" : wantedPage());
    return html`<div class="or">
      <a class="button" href=${path} target=${this.again ? "_blank" : nothing}>Log in with ${name}</a>
      ${
        this.again
          ? html`<p class="quiet small">It opens in a new tab. Come back to this one when you are logged in.</p>`
          : nothing
      }
    </div>`;
  }

  async #askForProvider(): Promise<void> {
    try {
      const { enabled, name } = await signOn();
      this.provider = enabled ? (name ?? "single sign-on") : undefined;
    } catch (error) {
      if (!(error instanceof CallError)) throw error; // the form says it when it cannot reach the hub either
    }
  }

  /** Perhaps from a tab in which the log-in came through. */
  readonly #returned = (): void => void this.#lookAgain();

  async #lookAgain(): Promise<void> {
    try {
      if (await session.load()) this.dispatchEvent(new CustomEvent("logged-in"));
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
    }
  }

  readonly #submitted = (event: SubmitEvent): void => void this.#submit(event);

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const input = { username: typed(data, "username"), password: typed(data, "password") };
    const isLoggedIn = await this.#form.submit(() => session.logIn(input));
    if (isLoggedIn) this.dispatchEvent(new CustomEvent("logged-in"));
  }
}

/** Providers let themselves be framed by nobody, and send browsers back to the hub's own address. */
function elsewhere(name: string) {
  const address = hubAddress();
  return html`<p class="or quiet small">
    The log-in with ${name} is at the hub's own address, <a href=${address} target="_blank">${address}</a>.
  </p>`;
}

const WANTED = "powerbeacon-wanted-page";

/** What somebody opened, also after the provider sent them back to the log-in because the first try failed. */
function wantedPage(): string {
  const path = currentPath();
  if (path === "/login") return sessionStorage.getItem(WANTED) ?? "/";
  sessionStorage.setItem(WANTED, path);
  return path;
}

/** Why the provider sent the browser back without a log-in. */
function problemOfAddress(): string | undefined {
  const code = new URLSearchParams(location.search).get("problem");
  return code === null ? undefined : (signOnProblem(code) ?? OTHER_PROBLEM);
}
