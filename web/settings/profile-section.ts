import { LitElement, html } from "lit";
import { customElement } from "lit/decorators.js";
import { controls } from "../app/controls.ts";

@customElement("profile-section")
export class ProfileSection extends LitElement {
  static override styles = [controls];

  override render() {
    return html`<h2>Profile</h2>`;
  }
}
