import { mdiPlus } from "@mdi/js";
import { LitElement, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { Session } from "../account/session.ts";
import { type TokenCreated, tokens } from "../api/tokens.ts";
import { hrefOf } from "../api/address.ts";
import { controls } from "../app/controls.ts";
import { icon, iconStyles } from "../app/icon.ts";
import { Reading } from "../live/reading.ts";
import { sectionStyles } from "./section-styles.ts";
import "./tokens-card.ts";
import "./tokens-created.ts";
import "./tokens-form.ts";

/** The personal tokens of the account. */
@customElement("tokens-section")
export class TokensSection extends LitElement {
  static override styles = [controls, iconStyles, ...sectionStyles];

  @state() private isAdding = false;
  @state() private created: TokenCreated | undefined;

  readonly #session = new Session(this);
  readonly #tokens = new Reading(this, tokens);

  override render() {
    const site = this.#siteAmongSome();
    return html`<header>
        <h2>Tokens</h2>
        <button class="primary" @click=${() => (this.isAdding = true)}>${icon(mdiPlus)} Add</button>
      </header>
      <p class="quiet">
        With a token a script of yours calls the <a href=${hrefOf("/api/docs")} target="_blank">HTTP API</a>, or
        connects by MQTT. It may do what you choose, and never more than you.
        ${site ? html`It works in one site: here you see those for <b>${site}</b>, and at the top you choose another.` : nothing}
      </p>
      ${this.#tokens.render((tokens) =>
        tokens.length > 0
          ? html`<ul class="cards">
              ${repeat(
                tokens,
                ({ id }) => id,
                (token) => html`<li><tokens-card .token=${token} @revoked=${this.#read}></tokens-card></li>`,
              )}
            </ul>`
          : html`<p class="empty">You have none${site ? ` for ${site}` : ""}.</p>`,
      )}
      ${this.#dialog()}`;
  }

  /** Who belongs to one site only is not asked to think of sites. */
  #siteAmongSome(): string | undefined {
    const { me } = this.#session.store;
    return me && me.sites.length > 1 ? me.site?.name : undefined;
  }

  #dialog() {
    if (this.created) return html`<tokens-created .token=${this.created} @closed=${this.#shown}></tokens-created>`;
    if (!this.isAdding) return nothing;
    return html`<tokens-form
      @created=${(event: CustomEvent<TokenCreated>) => (this.created = event.detail)}
      @closed=${this.#closed}
    ></tokens-form>`;
  }

  readonly #read = (): void => void this.#tokens.again();

  /** It may have been used already. */
  readonly #shown = (): void => {
    this.created = undefined;
    this.#read();
  };

  readonly #closed = (): void => {
    this.isAdding = false;
    this.#read();
  };
}
