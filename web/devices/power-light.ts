import { mdiPower } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { PowerState } from "#contracts/power.ts";
import { icon, iconStyles } from "../app/icon.ts";

/** The lamp of a device: its colour is its power state. The words beside it say the same. */
@customElement("power-light")
export class PowerLight extends LitElement {
  static override styles = [
    iconStyles,
    css`
      :host {
        display: block;
        flex: none;
      }
      .light {
        position: relative;
        display: grid;
        place-items: center;
        width: 2.75rem;
        height: 2.75rem;
        border-radius: var(--radius-round);
        background: var(--power-off-soft);
        color: var(--power-off);
        font-size: 1.1rem;
        transition:
          background 0.4s,
          color 0.4s;
      }
      .on {
        background: var(--power-on-soft);
        color: var(--power-on);
      }
      .waking,
      .stopping {
        background: var(--power-waking-soft);
        color: var(--power-waking);
      }
      .unreachable,
      .unknown {
        background: transparent;
        box-shadow: inset 0 0 0 1.5px var(--line);
      }
      .ring {
        position: absolute;
        inset: -3px;
        border-radius: inherit;
        background: conic-gradient(var(--power-waking) calc(var(--progress) * 1turn), var(--line) 0);
        mask: radial-gradient(closest-side, transparent calc(100% - 3px), #000 calc(100% - 2.5px));
      }
      :host([slow]) .ring {
        background: var(--power-waking);
        opacity: 0.45;
      }
      .waking .icon,
      .stopping .icon {
        animation: breathe 1.6s ease-in-out infinite;
      }
      @keyframes breathe {
        50% {
          opacity: 0.35;
        }
      }
      @media (prefers-reduced-motion: reduce) {
        .waking .icon,
        .stopping .icon {
          animation: none;
        }
        .light {
          transition: none;
        }
      }
    `,
  ];

  @property() power: PowerState = "unknown";
  /** How much of the wait for it is over, 0 to 1. */
  @property({ type: Number }) progress = 0;

  /** Lit's `styleMap` first writes a style attribute, which the Content-Security-Policy forbids. */
  override willUpdate(): void {
    this.style.setProperty("--progress", String(Math.min(1, this.progress)));
  }

  override render() {
    return html`<div class="light ${this.power}">
      ${this.power === "waking" ? html`<span class="ring"></span>` : nothing} ${icon(mdiPower)}
    </div>`;
  }
}
