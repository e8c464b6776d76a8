import { LitElement, html } from "lit";
import { customElement } from "lit/decorators.js";
import { controls } from "../app/controls.ts";

@customElement("tokens-section")
export class TokensSection extends LitElement {
  static override styles = [controls];

  override render() {
    return html`<h2>Tokens</h2>`;
  }
}
