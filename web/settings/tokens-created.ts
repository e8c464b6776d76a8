import { LitElement, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { TokenPermission } from "#contracts/permissions.ts";
import type { TokenCreated } from "../api/tokens.ts";
import { hubAddress } from "../api/address.ts";
import "../app/copy-text.ts";
import { isWebSocket, mosquittoSub } from "./mosquitto.ts";
import { shownOnce, shownOnceStyles } from "./shown-once.ts";

/** What shows at once that a token works, by what it may. */
const READABLE: readonly (readonly [permission: TokenPermission, path: string])[] = [
  ["device:read", "/devices"],
  ["cluster:read", "/clusters"],
  ["agent:read", "/agents"],
  ["mqtt-client:manage", "/mqtt-clients"],
  ["audit:read", "/audit"],
];

/**
 * A token, this once, with what to do with it. No key closes it by mistake.
 *
 * @fires closed
 */
@customElement("tokens-created")
export class TokensCreated extends LitElement {
  static override styles = shownOnceStyles;

  @property({ attribute: false }) token: TokenCreated | undefined;

  override firstUpdated(): void {
    this.renderRoot.querySelector("dialog")?.showModal();
  }

  override render() {
    if (!this.token) return nothing;
    const { name, token, mqttUsername, mqttUrl, permissions } = this.token;
    return shownOnce(
      `${name} is ready`,
      html`<div class="step">
          <p>Copy the token now: it is shown this once.</p>
          <copy-text what="token" .text=${token}></copy-text>
        </div>
        <div class="step">
          <h3>By HTTP</h3>
          <copy-text
            what="command"
            .text=${`curl -H 'Authorization: Bearer ${token}' ${hubAddress()}/api${readablePath(permissions)}`}
          ></copy-text>
        </div>
        <div class="step">
          <h3>By MQTT</h3>
          <p class="quiet">The token is the password beside this user name:</p>
          <copy-text what="user name" .text=${mqttUsername}></copy-text>
          ${permissions.includes("device:read") && !isWebSocket(mqttUrl) ? this.#subscription(this.token) : nothing}
        </div>`,
      () => this.dispatchEvent(new CustomEvent("closed")),
    );
  }

  #subscription({ mqttUrl, baseTopic, mqttUsername, token }: TokenCreated) {
    const client = { mqttUrl, baseTopic, username: mqttUsername, password: token };
    return html`<p class="quiet">Shows everything that it may read:</p>
      <copy-text what="MQTT command" .text=${mosquittoSub(client)}></copy-text>`;
  }
}

function readablePath(permissions: readonly TokenPermission[]): string {
  return READABLE.find(([permission]) => permissions.includes(permission))?.[1] ?? "/devices";
}
