import { mdiDatabaseAlertOutline, mdiLanDisconnect, mdiUpdate } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { HubInfo } from "#contracts/power.ts";
import { controls } from "../app/controls.ts";
import { icon, iconStyles } from "../app/icon.ts";
import type { Connection } from "../live/live-store.ts";
import { exactly } from "../words/instants.ts";

/** Says when what is shown may be old, or the hub is not whole. Empty otherwise. */
@customElement("hub-banner")
export class HubBanner extends LitElement {
  static override styles = [
    controls,
    iconStyles,
    css`
      p {
        display: flex;
        align-items: center;
        gap: var(--space-3);
        padding: var(--space-3) var(--space-4);
        border-radius: var(--radius);
        background: var(--warning-soft);
        color: var(--warning);
      }
      .fill {
        flex: 1;
      }
      p + p {
        margin-top: var(--space-3);
      }
    `,
  ];

  @property() connection: Connection = "connecting";
  @property({ attribute: false }) heardAt: Date | undefined;
  @property({ type: Boolean }) outdated = false;
  @property() database: HubInfo["database"] = "ok";

  override render() {
    return html`<div role="status">
      ${
        this.connection === "lost"
          ? html`<p>
              ${icon(mdiLanDisconnect)}
              <span
                >The connection to the hub is lost.
                ${this.heardAt ? `What you see is from ${exactly(this.heardAt.toISOString())}.` : nothing} Trying
                again…</span
              >
            </p>`
          : nothing
      }
      ${
        this.outdated
          ? html`<p>
              ${icon(mdiUpdate)}
              <span class="fill">The hub has another version now.</span>
              <button type="button" @click=${() => location.reload()}>Load its page</button>
            </p>`
          : nothing
      }
      ${
        this.connection === "live" && this.database === "unavailable"
          ? html`<p>
              ${icon(mdiDatabaseAlertOutline)}
              <span
                >The hub's database does not answer. Waking goes on; changes and history wait until it is back.</span
              >
            </p>`
          : nothing
      }
    </div>`;
  }
}
