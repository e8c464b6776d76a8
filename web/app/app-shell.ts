import { LitElement, html } from "lit";
import { customElement, state } from "lit/decorators.js";

@customElement("app-shell")
export class AppShell extends LitElement {
  @state() private count = 1;
  override render() {
    return html`<p>${this.count}</p>`;
  }
}
