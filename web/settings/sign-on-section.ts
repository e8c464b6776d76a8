import { LitElement, html } from "lit";
import { customElement } from "lit/decorators.js";
import { controls } from "../app/controls.ts";

@customElement("sign-on-section")
export class SignOnSection extends LitElement {
  static override styles = [controls];

  override render() {
    return html`<h2>Sign-on</h2>`;
  }
}
