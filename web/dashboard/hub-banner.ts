import { mdiDatabaseAlertOutline, mdiLanDisconnect, mdiTextBoxRemoveOutline, mdiUpdate } from "@mdi/js";
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
  @property() broker: HubInfo["broker"] = "ok";
  @property() audit: HubInfo["audit"] = "ok";

  override render() {
    const isLive = this.connection === "live";
    return html`<div role="status">
      ${
        this.connection === "lost"
          ? notice(
              mdiLanDisconnect,
              html`The connection to the hub is lost.
              ${this.heardAt ? `What you see is from ${exactly(this.heardAt.toISOString())}.` : nothing} Trying again…`,
            )
          : nothing
      }
      ${this.outdated ? notice(mdiUpdate, "The hub has another version now.", LOAD_ANEW) : nothing}
      ${isLive && this.database === "unavailable" ? notice(mdiDatabaseAlertOutline, DATABASE_IS_AWAY) : nothing}
      ${isLive && this.broker === "unavailable" ? notice(mdiLanDisconnect, BROKER_IS_AWAY) : nothing}
      ${
        // without a database there is no log either: one reason is enough
        isLive && this.database === "ok" && this.audit === "failing"
          ? notice(mdiTextBoxRemoveOutline, NO_AUDIT)
          : nothing
      }
    </div>`;
  }
}

const DATABASE_IS_AWAY =
  "The hub's database does not answer. Waking goes on; changes and history wait until it is back.";
const BROKER_IS_AWAY =
  "The MQTT broker does not answer. No agent can be reached, so nothing can be woken until it is back.";
const NO_AUDIT =
  "The audit log cannot be written. Waking goes on; changes are refused until it can be written again. The hub's own log says why.";
const LOAD_ANEW = html`<button type="button" @click=${() => location.reload()}>Load its page</button>`;

function notice(path: string, words: unknown, button: unknown = nothing) {
  return html`<p>${icon(path)}<span class="fill">${words}</span>${button}</p>`;
}
