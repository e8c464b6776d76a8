import { mdiPlus } from "@mdi/js";
import { LitElement, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { SiteAnswer } from "#contracts/api/sites.ts";
import { Session } from "../account/session.ts";
import { sites } from "../api/sites.ts";
import { controls } from "../app/controls.ts";
import { factList, factStyles } from "../app/facts.ts";
import { icon, iconStyles } from "../app/icon.ts";
import { Reading } from "../live/reading.ts";
import { sectionStyles } from "./section-styles.ts";
import "./sites-form.ts";

/** Every site of the hub. The only place that speaks of sites while there is one. */
@customElement("sites-section")
export class SitesSection extends LitElement {
  static override styles = [controls, iconStyles, factStyles, ...sectionStyles];

  @state() private edited: SiteAnswer | "new" | undefined;

  readonly #session = new Session(this);
  readonly #sites = new Reading(this, sites);

  override render() {
    return html`<header>
        <h2>Sites</h2>
        <button class="primary" @click=${() => (this.edited = "new")}>${icon(mdiPlus)} Add</button>
      </header>
      <p class="quiet">
        A site is one household, office or customer, kept apart from every other: its devices, agents, MQTT credentials
        and log are for its own members and superusers alone. One is enough for most; with a second one you choose at
        the top of the page which you see.
      </p>
      ${this.#sites.render(
        (all) =>
          html`<ul class="cards">
            ${repeat(all, ({ id }) => id, this.#card)}
          </ul>`,
      )}
      ${
        this.edited
          ? html`<sites-form
              .site=${this.edited === "new" ? undefined : this.edited}
              .shown=${this.edited !== "new" && this.edited.id === this.#session.store.me?.site?.id}
              @closed=${this.#closed}
            ></sites-form>`
          : nothing
      }`;
  }

  readonly #card = (site: SiteAnswer) =>
    html`<li>
      <article aria-labelledby=${site.id}>
        <div class="title">
          <h3 id=${site.id}>${site.name}</h3>
          ${site.isDefault ? html`<span class="mark">came with the hub</span>` : nothing}
          <button aria-label="Edit ${site.name}" @click=${() => (this.edited = site)}>Edit</button>
        </div>
        ${factList([
          ["Devices", String(site.devices)],
          ["Agents", String(site.agents)],
          ["Members", String(site.members)],
          ["Key", html`<span class="mono">${site.key}</span>`],
        ])}
      </article>
    </li>`;

  /** The switcher and the words of the page follow the sites of the account. */
  readonly #closed = (): void => {
    this.edited = undefined;
    void this.#sites.again();
    globalThis.dispatchEvent(new Event("session-doubtful"));
  };
}
