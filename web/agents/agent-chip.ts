import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { AgentAnswer } from "#contracts/api/agents.ts";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import type { PowerState } from "#contracts/power.ts";
import { hrefOf } from "../api/address.ts";
import { controls } from "../app/controls.ts";
import { pathOf } from "../app/router.ts";
import { when } from "../words/instants.ts";

const DOWN: ReadonlySet<PowerState> = new Set<PowerState>(["off", "stopping", "waking"]);

/** An agent in one line, with its presence; leads to its details. */
@customElement("agent-chip")
export class AgentChip extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: inline-block;
        max-width: 100%;
      }
      a {
        display: inline-flex;
        align-items: center;
        gap: var(--space-2);
        max-width: 100%;
        padding: var(--space-1) var(--space-3);
        border: 1px solid var(--line);
        border-radius: var(--radius-round);
        background: var(--surface-raised);
        color: inherit;
        font-size: var(--size-small);
        text-decoration: none;
        overflow-wrap: anywhere;
      }
      a:hover {
        border-color: var(--line-strong);
      }
      .dot {
        flex: none;
        width: 0.6rem;
        height: 0.6rem;
        border-radius: 50%;
        border: 2px solid var(--warning);
      }
      .online .dot {
        border-color: var(--power-on);
        background: var(--power-on);
      }
      .offline .presence {
        color: var(--warning);
      }
      .down .dot {
        border-color: var(--line-strong);
      }
    `,
  ];

  @property({ attribute: false }) agent: AgentAnswer | undefined;
  /** The device whose very machine it runs on: that it is gone while that is off is as it should be. */
  @property({ attribute: false }) machine: Pick<DeviceAnswer, "power"> | undefined;
  @property({ attribute: false }) clock: () => number = Date.now;

  override render() {
    if (!this.agent) return nothing;
    const { key, name, status, statusSince } = this.agent;
    const isDown = status === "offline" && this.machine !== undefined && DOWN.has(this.machine.power);
    const since = status === "offline" && statusSince ? ` since ${when(statusSince, this.clock())}` : "";
    const presence = isDown ? "off with its machine" : `${status}${since}`;
    return html`<a class=${isDown ? "down" : status} href=${hrefOf(pathOf({ kind: "agent", key }))}>
      <span class="dot"></span><span><b>${name}</b> <span class="presence quiet">${presence}</span></span>
    </a>`;
  }
}
