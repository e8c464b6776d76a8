import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { TokenAnswer } from "#contracts/api/tokens.ts";
import { revokeToken } from "../api/tokens.ts";
import { controls } from "../app/controls.ts";
import { type Fact, factList, factStyles } from "../app/facts.ts";
import { DeleteButton } from "../form/delete-button.ts";
import { Live } from "../live/live.ts";
import { ago, date } from "../words/instants.ts";
import { mayWords } from "../words/roles.ts";
import { sectionStyles } from "./section-styles.ts";

const REVOKE = { act: "Revoke", busy: "Revoking…", done: "revoked" };

/**
 * What a token may do, and when it was used.
 *
 * @fires revoked
 */
@customElement("tokens-card")
export class TokensCard extends LitElement {
  static override styles = [
    controls,
    factStyles,
    ...sectionStyles,
    css`
      footer:has([role="alert"]) > .mono {
        display: none;
      }
      footer .buttons {
        display: flex;
        flex: 1;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--space-2);
      }
      footer > .plain {
        border-color: var(--line);
      }
      @media (max-width: 30rem) {
        footer .buttons {
          justify-content: end;
        }
        footer .buttons .fill {
          flex-basis: 100%; /* a question stands above its answers */
        }
      }
    `,
  ];

  @property({ attribute: false }) token: TokenAnswer | undefined;

  readonly #live = new Live(this);
  readonly #revoke = new DeleteButton(this, { close: () => this.dispatchEvent(new CustomEvent("revoked")) });

  override render() {
    if (!this.token) return nothing;
    const { name, prefix, permissions } = this.token;
    const isExpired = this.#isExpired(this.token);
    return html`<article aria-labelledby="name">
      <div class="title">
        <h3 id="name">${name} ${isExpired ? html`<span class="mark bad">Expired</span>` : nothing}</h3>
      </div>
      <p>${mayWords(permissions)}</p>
      ${factList(this.#facts(this.token))}
      <footer class="actions">
        <span class="fill mono quiet small">${prefix}…</span>
        ${this.#revokeButton(this.token)}
      </footer>
    </article>`;
  }

  #facts({ createdAt, expiresAt, lastUsedAt, lastAddress }: TokenAnswer): Fact[] {
    const used = lastUsedAt && ago(lastUsedAt, this.#live.store.nowMs());
    return [
      ["Last used", used ? `${used}${lastAddress ? `, from ${lastAddress}` : ""}` : "never"],
      ["Made", date(createdAt)],
      ["Expires", expiresAt ? date(expiresAt) : "never"],
    ];
  }

  #revokeButton({ id, name }: TokenAnswer) {
    return this.#revoke.render({
      name,
      label: "Revoke",
      question: `Revoke ${name}? What uses it is shut out at once.`,
      work: () => revokeToken(id),
      words: REVOKE,
    });
  }

  #isExpired({ expiresAt }: TokenAnswer): boolean {
    return expiresAt !== null && Date.parse(expiresAt) <= this.#live.store.nowMs();
  }
}
