import { mdiCheckCircle } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { controls } from "../app/controls.ts";
import { icon, iconStyles } from "../app/icon.ts";

/**
 * What a new hub needs before it can wake anything.
 *
 * @fires join-agent @fires add-device @fires import-devices
 */
@customElement("first-steps")
export class FirstSteps extends LitElement {
  static override styles = [
    controls,
    iconStyles,
    css`
      section {
        display: grid;
        gap: var(--space-4);
        max-width: 44rem;
        margin: 0 auto;
        padding: var(--space-5);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface-raised);
        box-shadow: var(--shadow);
      }
      h2 {
        font-size: var(--size-title);
        line-height: 1.3;
      }
      li {
        display: grid;
        grid-template-columns: 2rem minmax(0, 1fr) auto;
        align-items: center;
        gap: var(--space-3);
        padding: var(--space-3) 0;
        border-top: 1px solid var(--line);
      }
      .number {
        display: grid;
        place-items: center;
        width: 2rem;
        height: 2rem;
        border-radius: 50%;
        background: var(--accent-soft);
        color: var(--accent);
        font-weight: 650;
      }
      button.link {
        display: inline;
        min-height: 0;
        padding: 0;
        border: 0;
        background: none;
        color: var(--accent);
        font-weight: inherit;
        text-align: start;
        text-decoration: underline;
        text-underline-offset: 0.15em;
      }
      .done {
        background: none;
        color: var(--power-on);
        font-size: 1.3rem;
      }
      @media (max-width: 30rem) {
        li {
          grid-template-columns: 2rem minmax(0, 1fr);
          align-items: start;
        }
        li button {
          grid-column: 2;
          justify-self: start;
        }
      }
    `,
  ];

  @property({ type: Boolean }) hasAgent = false;
  @property({ type: Boolean }) hasDevice = false;
  /** Somebody else has to join an agent. */
  @property({ type: Boolean }) mayJoin = false;

  override render() {
    return html`<section aria-labelledby="heading">
      <h2 id="heading">Wake your first machine</h2>
      <ol>
        <li>
          ${this.#number(1, this.hasAgent)}
          <div>
            <b>Join an agent</b>
            <p class="quiet">
              A small process on your LAN that sends magic packets and watches machines. It may run on this very
              machine.
            </p>
          </div>
          ${
            this.mayJoin
              ? this.#button("join-agent", "Join an agent", !this.hasAgent)
              : this.hasAgent
                ? nothing
                : html`<p class="quiet small">An admin does this.</p>`
          }
        </li>
        <li>
          ${this.#number(2, this.hasDevice)}
          <div>
            <b>Add a device</b>
            <p class="quiet">
              The machine to wake, by the MAC address of its network card. Or
              <button class="link" @click=${() => this.dispatchEvent(new CustomEvent("import-devices"))}>
                import many from a file</button
              >.
            </p>
          </div>
          ${this.#button("add-device", "Add a device", (this.hasAgent || !this.mayJoin) && !this.hasDevice)}
        </li>
        <li>
          ${this.#number(3, false)}
          <div>
            <b>Wake it</b>
            <p class="quiet">You see how long it takes, and if it does not answer, why.</p>
          </div>
        </li>
      </ol>
    </section>`;
  }

  #number(number: number, isDone: boolean) {
    return isDone
      ? html`<span class="number done" role="img" aria-label="Done">${icon(mdiCheckCircle)}</span>`
      : html`<span class="number" aria-hidden="true">${number}</span>`;
  }

  #button(event: string, label: string, isNext: boolean) {
    return html`<button class=${isNext ? "primary" : ""} @click=${() => this.dispatchEvent(new CustomEvent(event))}>
      ${label}
    </button>`;
  }
}
