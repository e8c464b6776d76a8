import { LitElement, html } from "lit";
import { customElement } from "lit/decorators.js";
import { controls } from "../app/controls.ts";

@customElement("audit-section")
export class AuditSection extends LitElement {
  static override styles = [controls];

  override render() {
    return html`<h2>Audit log</h2>`;
  }
}
