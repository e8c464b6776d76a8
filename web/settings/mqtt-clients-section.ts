import { mdiPlus } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { MqttClientAnswer, MqttClientCreated } from "#contracts/api/mqtt-clients.ts";
import type { MqttPermission } from "#contracts/principal.ts";
import { mqttClients } from "../api/mqtt-clients.ts";
import { controls } from "../app/controls.ts";
import { type Fact, factList, factStyles } from "../app/facts.ts";
import { icon, iconStyles } from "../app/icon.ts";
import { Live } from "../live/live.ts";
import { Reading } from "../live/reading.ts";
import { byName } from "../words/by-name.ts";
import { when } from "../words/instants.ts";
import { MQTT_PERMISSION_WORDS } from "../words/mqtt.ts";
import "./mqtt-clients-form.ts";
import "./mqtt-clients-password.ts";
import { sectionStyles } from "./section-styles.ts";

/** Who comes and goes on the broker shows without a reload. */
const REFRESH_MS = 5_000;

/** Every MQTT credential: what it may do, and whether somebody uses it now. */
@customElement("mqtt-clients-section")
export class MqttClientsSection extends LitElement {
  static override styles = [
    controls,
    iconStyles,
    factStyles,
    ...sectionStyles,
    css`
      .presence {
        display: inline-flex;
        align-items: center;
        gap: var(--space-2);
      }
      .presence::before {
        content: "";
        width: 0.6rem;
        height: 0.6rem;
        border: 2px solid var(--line-strong);
        border-radius: 50%;
      }
      .presence.now::before {
        border-color: var(--power-on);
        background: var(--power-on);
      }
    `,
  ];

  @state() private edited: MqttClientAnswer | "new" | undefined;
  @state() private created: MqttClientCreated | undefined;

  readonly #live = new Live(this);
  readonly #clients = new Reading(this, mqttClients, REFRESH_MS);

  override render() {
    return html`<header>
        <h2>MQTT credentials</h2>
        <button class="primary" @click=${() => (this.edited = "new")}>${icon(mdiPlus)} Add</button>
      </header>
      <p class="quiet">
        With one of these, Home Assistant, a script or any other MQTT client connects to the hub's broker. Agents bring
        their own.
      </p>
      ${this.#clients.render((clients) =>
        clients.length > 0
          ? html`<ul class="cards">
              ${repeat(clients, ({ id }) => id, this.#card)}
            </ul>`
          : html`<p class="empty">There are none yet. Make one for Home Assistant, or for a script.</p>`,
      )}
      ${this.#dialog()}`;
  }

  readonly #card = (client: MqttClientAnswer) =>
    html`<li>
      <article aria-labelledby=${client.id}>
        <div class="title">
          <h3 id=${client.id}>${client.name}</h3>
          <button aria-label="Edit ${client.name}" @click=${() => (this.edited = client)}>Edit</button>
        </div>
        <p class="presence ${client.connections > 0 ? "now" : "quiet"}">${this.#presence(client)}</p>
        ${factList(this.#facts(client))}
      </article>
    </li>`;

  #presence({ connections, lastSeenAt }: MqttClientAnswer): string {
    if (connections > 1) return `Connected ${connections} times`;
    if (connections === 1) return "Connected";
    return lastSeenAt === null ? "Never connected" : `Last seen ${when(lastSeenAt, this.#live.store.nowMs())}`;
  }

  #facts({ username, permissions, clusterIds, lastAddress, lastProtocol, lastClientId }: MqttClientAnswer): Fact[] {
    return [
      ["User name", html`<span class="mono">${username}</span>`],
      ["May", mayWords(permissions)],
      ["Clusters", this.#clusterWords(clusterIds)],
      ["Address", lastAddress && html`<span class="mono">${lastAddress}</span>`],
      ["MQTT version", lastProtocol],
      ["Client identifier", lastClientId && html`<span class="mono">${lastClientId}</span>`],
    ];
  }

  /** The id of a cluster that was deleted may stay; it gives no right. */
  #clusterWords(ids: readonly string[] | null): string {
    if (ids === null) return "all";
    const clusters = ids.flatMap((id) => this.#live.store.clusters.get(id) ?? []).toSorted(byName);
    return clusters.map(({ name }) => name).join(", ") || "none";
  }

  #dialog() {
    if (this.created)
      return html`<mqtt-clients-password
        .client=${this.created}
        @closed=${() => (this.created = undefined)}
      ></mqtt-clients-password>`;
    if (!this.edited) return nothing;
    return html`<mqtt-clients-form
      .client=${this.edited === "new" ? undefined : this.edited}
      .clusters=${this.#live.store.clusters}
      @created=${(event: CustomEvent<MqttClientCreated>) => (this.created = event.detail)}
      @closed=${this.#closed}
    ></mqtt-clients-form>`;
  }

  readonly #closed = (): void => {
    this.edited = undefined;
    void this.#clients.again();
  };
}

/** In the order in which the form has them. */
function mayWords(permissions: readonly MqttPermission[]): string {
  const words = Object.entries(MQTT_PERMISSION_WORDS).filter(([permission]) =>
    permissions.some((each) => each === permission),
  );
  return words.map(([, { label }]) => label).join(", ");
}
