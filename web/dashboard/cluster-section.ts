import { mdiAlertOutline, mdiPencilOutline, mdiPower } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { AgentAnswer } from "#contracts/api/agents.ts";
import type { ClusterAnswer } from "#contracts/api/clusters.ts";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import { type Actor, mayChange, mayPower, mayWake, reachFor } from "#contracts/rights.ts";
import "../agents/agent-chip.ts";
import { hrefOf } from "../api/address.ts";
import { controls } from "../app/controls.ts";
import { icon, iconStyles } from "../app/icon.ts";
import { pathOf } from "../app/router.ts";
import "../devices/device-card.ts";
import { NOBODY } from "../live/actor.ts";
import type { PowerOffNews, WakeNews } from "../live/live-store.ts";

/**
 * A cluster with its agents and devices; without a `cluster`, what is in none.
 *
 * @fires wake-cluster @fires power-off-cluster with the cluster
 */
@customElement("cluster-section")
export class ClusterSection extends LitElement {
  static override styles = [
    controls,
    iconStyles,
    css`
      section {
        display: grid;
        gap: var(--space-3);
      }
      header {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--space-2) var(--space-3);
      }
      h2 {
        font-size: var(--size-large);
        line-height: 1.3;
        overflow-wrap: anywhere;
      }
      .edit {
        display: inline-grid;
        place-items: center;
        width: 2.25rem;
        height: 2.25rem;
        border-radius: var(--radius-small);
        color: var(--text-quiet);
      }
      .edit:hover {
        background: var(--surface-sunken);
        color: var(--text);
      }
      .heading {
        display: flex;
        align-items: center;
        gap: var(--space-1);
        min-width: 0;
      }
      .counts {
        white-space: nowrap;
      }
      .agents {
        display: flex;
        flex: 1 1 12rem;
        flex-wrap: wrap;
        gap: var(--space-2);
      }
      .agents li {
        max-width: 100%;
      }
      .all {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2);
      }
      .devices {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(21rem, 100%), 1fr));
        gap: var(--space-3);
      }
      .problems {
        display: flex;
        gap: var(--space-2);
        color: var(--warning);
        font-size: var(--size-small);
      }
      .empty {
        padding: var(--space-4);
        border: 1px dashed var(--line);
        border-radius: var(--radius);
        color: var(--text-quiet);
      }
    `,
  ];

  @property({ attribute: false }) cluster: ClusterAnswer | undefined;
  /** The heading of what is in no cluster. */
  @property() heading = "In no cluster";
  @property({ attribute: false }) devices: readonly DeviceAnswer[] = [];
  @property({ attribute: false }) agents: readonly AgentAnswer[] = [];
  @property({ attribute: false }) actor: Actor = NOBODY;
  /** By id: devices, and clusters, whose request is on its way, and why requests were refused. */
  @property({ attribute: false }) asking: ReadonlySet<string> = new Set();
  @property({ attribute: false }) problems: ReadonlyMap<string, string> = new Map();
  @property({ attribute: false }) newsOf: (deviceId: string) => WakeNews | undefined = () => undefined;
  @property({ attribute: false }) stepsOf: (deviceId: string) => readonly PowerOffNews[] = () => [];
  @property({ attribute: false }) clock: () => number = Date.now;

  override render() {
    const { actor, cluster, devices } = this;
    const problem = this.#problem();
    return html`<section aria-labelledby="heading">
      <header>
        <div class="heading">
          <h2 id="heading">${cluster?.name ?? this.heading}</h2>
          ${
            cluster && mayChange(actor, "cluster:change", cluster)
              ? html`<a
                  class="edit"
                  href=${hrefOf(pathOf({ kind: "cluster", key: cluster.key }))}
                  aria-label="Edit ${cluster.name}"
                  >${icon(mdiPencilOutline)}</a
                >`
              : nothing
          }
        </div>
        <p class="counts quiet">${this.#counts()}</p>
        ${this.#seesAgents ? this.#agents() : nothing} ${this.#all()}
      </header>
      ${problem ? html`<p class="problems">${icon(mdiAlertOutline)} ${problem}</p>` : nothing}
      ${
        devices.length > 0
          ? html`<div class="devices">${repeat(devices, ({ id }) => id, this.#card)}</div>`
          : html`<p class="empty">No devices are here yet.</p>`
      }
    </section>`;
  }

  get #seesAgents(): boolean {
    return reachFor(this.actor, "agent:read") !== undefined;
  }

  #agents() {
    return html`<ul class="agents" aria-label="Agents">
      ${repeat(
        this.agents,
        ({ id }) => id,
        (agent) =>
          html`<li>
            <agent-chip .agent=${agent} .machine=${this.#machineOf(agent)} .clock=${this.clock}></agent-chip>
          </li>`,
      )}
    </ul>`;
  }

  #machineOf({ machineId }: AgentAnswer): DeviceAnswer | undefined {
    return machineId === null ? undefined : this.devices.find(({ id }) => id === machineId);
  }

  readonly #card = (device: DeviceAnswer) =>
    html`<device-card
      .device=${device}
      .news=${this.newsOf(device.id)}
      .steps=${this.stepsOf(device.id)}
      .mayWake=${mayWake(this.actor, device, this.cluster)}
      .mayPower=${mayPower(this.actor, device, this.cluster)}
      .asking=${this.asking.has(device.id)}
      .problem=${this.problems.get(device.id)}
      .clock=${this.clock}
    ></device-card>`;

  /** What is wrong with all of it is said once, here, and not loudly at each device. */
  #problem(): string | undefined {
    const { devices, agents } = this;
    if (!this.#seesAgents || devices.length === 0 || agents.some(({ status }) => status === "online")) return undefined;
    if (agents.length === 0 && reachFor(this.actor, "agent:manage"))
      return "No agent is here. Join one, or move one here: it wakes and watches these devices.";
    if (agents.length === 0) return "No agent is here: these devices can be neither woken nor watched.";
    return "No agent is online here: these devices can be neither woken nor watched.";
  }

  #counts(): string {
    const { length } = this.devices;
    if (length === 0) return "";
    return `${this.devices.filter(({ power }) => power === "on").length} of ${length} on`;
  }

  /** What is offered for many at once: a single one has its own button. */
  #all() {
    const { actor, cluster, devices } = this;
    if (!cluster) return nothing;
    const asleep = devices.filter((device) => isAsleep(device) && mayWake(actor, device, cluster));
    const on = devices.filter((device) => isOn(device) && mayPower(actor, device, cluster));
    return html`<div class="all">
      ${asleep.length > 1 ? this.#button("wake-cluster", "Wake all", `Wake all of ${cluster.name}`) : nothing}
      ${on.length > 1 ? this.#button("power-off-cluster", "Power off all", `Power off all of ${cluster.name}`) : nothing}
    </div>`;
  }

  #button(event: string, words: string, label: string) {
    const say = () => this.dispatchEvent(new CustomEvent(event, { detail: this.cluster }));
    return html`<button aria-label=${label} aria-haspopup="dialog" @click=${say}>${icon(mdiPower)} ${words}</button>`;
  }
}

function isOn({ power, canPowerOff, powerOff }: DeviceAnswer): boolean {
  return power === "on" && canPowerOff && powerOff === null;
}

function isAsleep({ power, enabled, availability }: DeviceAnswer): boolean {
  return power !== "on" && power !== "waking" && enabled && availability === "online";
}
