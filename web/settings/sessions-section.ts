import { LitElement, html } from "lit";
import { customElement } from "lit/decorators.js";
import { controls } from "../app/controls.ts";

@customElement("sessions-section")
export class SessionsSection extends LitElement {
  static override styles = [controls];

  override render() {
    return html`<h2>Sessions</h2>`;
  }
}
