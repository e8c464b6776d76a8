import { LitElement, type TemplateResult, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import "../dashboard/top-bar.ts";
import { controls } from "./controls.ts";

/** A page whose code is fetched when somebody opens it. */
@customElement("fetched-page")
export class FetchedPage extends LitElement {
  static override styles = [controls];

  @property({ attribute: false }) load: () => Promise<unknown> = () => Promise.resolve();
  @property({ attribute: false }) view: TemplateResult | undefined;
  @state() private became: "loading" | "ready" | "failed" = "loading";

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  override render() {
    switch (this.became) {
      case "ready":
        return this.view ?? nothing;
      case "loading":
        return html`<top-bar></top-bar>`;
      case "failed":
        return html`<top-bar></top-bar>
          <p class="problem" role="alert">
            This part of the page could not be loaded.
            <button @click=${() => location.reload()}>Load the page anew</button>
          </p>`;
    }
  }

  async #load(): Promise<void> {
    try {
      await this.load();
      this.became = "ready";
    } catch {
      this.became = "failed"; // the hub is away, or has another version of the page by now
    }
  }
}
