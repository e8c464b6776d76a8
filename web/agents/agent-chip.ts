import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { AgentAnswer } from "#contracts/api/agents.ts";
import { hrefOf } from "../api/address.ts";
import { controls } from "../app/controls.ts";
import { pathOf } from "../app/router.ts";
import { when } from "../words/instants.ts";

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
    `,
  ];

  @property({ attribute: false }) agent: AgentAnswer | undefined;
  @property({ attribute: false }) clock: () => number = Date.now;

  override render() {
    if (!this.agent) return nothing;
    const { key, name, status, statusSince } = this.agent;
    const since = status === "offline" && statusSince ? ` since ${when(statusSince, this.clock())}` : "";
    return html`<a class=${status} href=${hrefOf(pathOf({ kind: "agent", key }))}>
      <span class="dot"></span><span><b>${name}</b> <span class="presence quiet">${status}${since}</span></span>
    </a>`;
  }
}
