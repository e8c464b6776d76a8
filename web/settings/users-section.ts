import { LitElement, html } from "lit";
import { customElement } from "lit/decorators.js";
import { controls } from "../app/controls.ts";

@customElement("users-section")
export class UsersSection extends LitElement {
  static override styles = [controls];

  override render() {
    return html`<h2>Users</h2>`;
  }
}
