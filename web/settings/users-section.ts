import { mdiPlus } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { UserAnswer } from "#contracts/api/accounts.ts";
import { Session } from "../account/session.ts";
import { hrefOf } from "../api/address.ts";
import { users } from "../api/users.ts";
import { controls } from "../app/controls.ts";
import { icon, iconStyles } from "../app/icon.ts";
import { pathOfSection } from "../app/router.ts";
import { Live } from "../live/live.ts";
import { Reading } from "../live/reading.ts";
import { ago } from "../words/instants.ts";
import { ROLE_WORDS } from "../words/roles.ts";
import { sectionStyles } from "./section-styles.ts";
import "./users-form.ts";
import { mayManage } from "./users.rules.ts";

/** How many are shown at first; more are found by their name. */
const SHOWN = 50;
const MAX_SHOWN = 200;
/** Between a key and the question to the hub. Milliseconds. */
const PAUSE_MS = 250;

/** The accounts that one may see: who they are, what they may do, and when they were here. */
@customElement("users-section")
export class UsersSection extends LitElement {
  static override styles = [
    controls,
    iconStyles,
    ...sectionStyles,
    css`
      .fill b {
        overflow-wrap: anywhere;
      }
      .off b {
        color: var(--text-quiet);
      }
    `,
  ];

  @state() private edited: UserAnswer | "new" | undefined;

  readonly #session = new Session(this);
  readonly #live = new Live(this);
  readonly #users = new Reading(this, () => users(this.#text, this.#limit));
  #text = "";
  #limit = SHOWN;
  #pause: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    clearTimeout(this.#pause);
    super.disconnectedCallback();
  }

  override render() {
    return html`<header>
        <h2>Users</h2>
        <button class="primary" @click=${() => (this.edited = "new")}>${icon(mdiPlus)} Add</button>
      </header>
      <input type="search" aria-label="Search users" placeholder="Search by name or e-mail" @input=${this.#searched} />
      ${this.#users.render(({ items, total }) =>
        items.length > 0
          ? html`<ul class="card rows">
                ${repeat(items, ({ id }) => id, this.#row)}
              </ul>
              ${this.#more(total - items.length)}`
          : html`<p class="empty">Nobody is called “${this.#text}”.</p>`,
      )}
      ${this.#dialog()}`;
  }

  readonly #row = (user: UserAnswer) => {
    const { username, fullName, email, role, enabled, lastLoginAt } = user;
    const seen = lastLoginAt ? `logged in ${ago(lastLoginAt, this.#live.store.nowMs())}` : "never logged in";
    const details = [fullName ? username : undefined, email, seen].filter(Boolean);
    return html`<li class=${enabled ? "" : "off"}>
      <div class="fill">
        <b>${fullName ?? username}</b>
        <span class="mark">${role ? ROLE_WORDS[role].label : "Not in this site"}</span>
        ${enabled ? nothing : html`<span class="mark bad">Disabled</span>`}
        <p class="quiet small">${details.join(" · ")}</p>
      </div>
      ${this.#action(user)}
    </li>`;
  };

  #action(user: UserAnswer) {
    const { me } = this.#session.store;
    if (!me) return nothing;
    if (user.id === me.id) return html`<a href=${hrefOf(pathOfSection("profile"))}>Your profile</a>`;
    if (!mayManage(me, user)) return nothing;
    return html`<button aria-label="Edit ${user.username}" @click=${() => (this.edited = user)}>Edit</button>`;
  }

  #more(rest: number) {
    if (rest <= 0) return nothing;
    if (this.#limit >= MAX_SHOWN) return html`<p class="quiet">${rest} more are found by searching.</p>`;
    return html`<div class="actions"><button @click=${this.#showMore}>Show more (${rest})</button></div>`;
  }

  #dialog() {
    if (!this.edited) return nothing;
    return html`<users-form
      .user=${this.edited === "new" ? undefined : this.edited}
      @closed=${this.#closed}
    ></users-form>`;
  }

  readonly #showMore = (): void => {
    this.#limit = MAX_SHOWN;
    void this.#users.again();
  };

  readonly #searched = (event: Event): void => {
    this.#text = (event.target as HTMLInputElement).value.trim();
    this.#limit = SHOWN;
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => void this.#users.again(), PAUSE_MS);
  };

  readonly #closed = (): void => {
    this.edited = undefined;
    void this.#users.again();
  };
}
