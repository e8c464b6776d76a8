import { LitElement, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { MqttClientCreated } from "#contracts/api/mqtt-clients.ts";
import "../app/copy-text.ts";
import { factList, factStyles } from "../app/facts.ts";
import { brokerOf, isWebSocket, mosquittoSub } from "./mosquitto.ts";
import { shownOnce, shownOnceStyles } from "./shown-once.ts";

/**
 * The password of a credential, this once, with what to do with it. No key closes it by mistake.
 *
 * @fires closed
 */
@customElement("mqtt-clients-password")
export class MqttClientsPassword extends LitElement {
  static override styles = [...shownOnceStyles, factStyles];

  @property({ attribute: false }) client: MqttClientCreated | undefined;

  override firstUpdated(): void {
    this.renderRoot.querySelector("dialog")?.showModal();
  }

  override render() {
    if (!this.client) return nothing;
    const { name, username, password, permissions, mqttUrl } = this.client;
    return shownOnce(
      `${name} can connect`,
      html`<p>Copy the password now: it is shown this once.</p>
        <div class="step">
          <h3>User name</h3>
          <copy-text what="user name" .text=${username}></copy-text>
          <h3>Password</h3>
          <copy-text what="password" .text=${password}></copy-text>
        </div>
        ${permissions.includes("discovery") ? this.#homeAssistant(this.client) : nothing}
        ${permissions.includes("read") && !isWebSocket(mqttUrl) ? this.#terminal(this.client) : nothing}`,
      () => this.dispatchEvent(new CustomEvent("closed")),
    );
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
}
