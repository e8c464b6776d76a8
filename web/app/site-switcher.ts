import { LitElement, css, html, nothing } from "lit";
import { customElement } from "lit/decorators.js";
import { Session } from "../account/session.ts";
import { byName } from "../words/by-name.ts";
import { controls } from "./controls.ts";

/**
 * Which site the page shows. Empty for whoever belongs to one, and so has nothing to choose.
 *
 * @fires site-chosen with the key of the site; bubbles
 */
@customElement("site-switcher")
export class SiteSwitcher extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        min-width: 0;
      }
      select {
        max-width: 14rem;
        padding-block: 0;
        text-overflow: ellipsis;
      }
    `,
  ];

  readonly #session = new Session(this);

  override render() {
    const { sites = [], site } = this.#session.store.me ?? {};
    if (sites.length < 2) return nothing;
    const sorted = sites.toSorted(byName);
    return html`<select aria-label="Site" @change=${this.#chosen}>
      ${sorted.map(({ key, name }) => html`<option value=${key} .selected=${key === site?.key}>${name}</option>`)}
    </select>`;
  }

  readonly #chosen = (event: Event): void => {
    const { value } = event.target as HTMLSelectElement;
    this.dispatchEvent(new CustomEvent("site-chosen", { detail: value, bubbles: true, composed: true }));
  };
}
