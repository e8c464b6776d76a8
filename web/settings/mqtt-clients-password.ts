import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { MqttClientCreated } from "#contracts/api/mqtt-clients.ts";
import { controls } from "../app/controls.ts";
import "../app/copy-text.ts";
import { factList, factStyles } from "../app/facts.ts";
import { dialogStyles } from "../form/form-dialog.ts";
import { keepOpen } from "../form/keep-open.ts";
import { brokerOf, isWebSocket, mosquittoSub } from "./mosquitto.ts";

/**
 * The password of a credential, this once, with what to do with it. No key closes it by mistake.
 *
 * @fires closed
 */
@customElement("mqtt-clients-password")
export class MqttClientsPassword extends LitElement {
  static override styles = [
    controls,
    ...dialogStyles,
    factStyles,
    css`
      .step {
        display: grid;
        gap: var(--space-2);
      }
      h3 {
        font-size: 1rem;
      }
    `,
  ];

  @property({ attribute: false }) client: MqttClientCreated | undefined;

  override firstUpdated(): void {
    this.renderRoot.querySelector("dialog")?.showModal();
  }

  override render() {
    if (!this.client) return nothing;
    const { name, username, password, permissions, mqttUrl } = this.client;
    return html`<dialog
      aria-labelledby="title"
      @keydown=${keepOpen}
      @cancel=${(event: Event) => event.preventDefault()}
      @close=${() => this.dispatchEvent(new CustomEvent("closed"))}
    >
      <div class="head"><h2 id="title">${name} can connect</h2></div>
      <div class="body fields">
        <p>Copy the password now: it is shown this once.</p>
        <div class="step">
          <h3>User name</h3>
          <copy-text what="user name" .text=${username}></copy-text>
          <h3>Password</h3>
          <copy-text what="password" .text=${password}></copy-text>
        </div>
        ${permissions.includes("discovery") ? this.#homeAssistant(this.client) : nothing}
        ${permissions.includes("read") && !isWebSocket(mqttUrl) ? this.#terminal(this.client) : nothing}
      </div>
      <footer>
        <div class="buttons"><button class="primary" @click=${this.#close}>I have copied it</button></div>
      </footer>
    </dialog>`;
  }

  #homeAssistant({ mqttUrl }: MqttClientCreated) {
    const { hostname, port } = brokerOf(mqttUrl);
    return html`<div class="step">
      <h3>In Home Assistant</h3>
      <p class="quiet">
        Settings → Devices & services → Add integration → MQTT. Enter the user name and the password from above, and:
      </p>
      ${factList([
        ["Broker", html`<span class="mono">${hostname}</span>`],
        ["Port", html`<span class="mono">${port}</span>`],
        ["Transport", isWebSocket(mqttUrl) ? "WebSocket" : undefined],
      ])}
    </div>`;
  }

  #terminal(client: MqttClientCreated) {
    return html`<div class="step">
      <h3>In a terminal</h3>
      <p class="quiet">Shows everything that it may read:</p>
      <copy-text what="command" .text=${mosquittoSub(client)}></copy-text>
    </div>`;
  }

  readonly #close = (): void => {
    this.renderRoot.querySelector("dialog")?.close();
  };
}
