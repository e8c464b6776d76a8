import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { HomeAssistantAnswer } from "#contracts/api/home-assistant.ts";
import { hrefOf } from "../api/address.ts";
import { controls } from "../app/controls.ts";
import { type Fact, factList, factStyles } from "../app/facts.ts";
import { pathOfSection } from "../app/router.ts";
import { when } from "../words/instants.ts";
import { BROKER_WORDS, FORMAT_WORDS, THING_STATE_WORDS } from "../words/home-assistant.ts";
import { sectionStyles } from "./section-styles.ts";

/** Whether a Home Assistant is there to read what is published, and by which way. */
@customElement("home-assistant-listening")
export class HomeAssistantListening extends LitElement {
  static override styles = [
    controls,
    factStyles,
    ...sectionStyles,
    css`
      h3::before {
        content: "";
        display: inline-block;
        width: 0.6rem;
        height: 0.6rem;
        margin-right: var(--space-2);
        border: 2px solid var(--line-strong);
        border-radius: 50%;
      }
      h3.now::before {
        border-color: var(--power-on);
        background: var(--power-on);
      }
    `,
  ];

  @property({ attribute: false }) answer: HomeAssistantAnswer | undefined;
  @property({ attribute: false }) clock: () => number = Date.now;

  override render() {
    if (!this.answer) return nothing;
    const { settings, listening } = this.answer;
    const isHeard =
      listening.reached &&
      (listening.clients.length > 0 || (settings.broker !== "embedded" && listening.bornAt !== null));
    return html`<article aria-labelledby="title">
      <h3 id="title" class=${settings.enabled && isHeard ? "now" : ""}>${this.#title(isHeard)}</h3>
      <div>${this.#sentences(this.answer)}</div>
      ${factList(this.#facts(this.answer))}
    </article>`;
  }

  #title(isHeard: boolean): string {
    if (this.answer?.settings.enabled === false) return "Discovery is off";
    if (this.answer?.listening.reached === false) return "The broker does not answer";
    if (isHeard) return "Home Assistant is listening";
    return this.answer?.listening.bornAt ? "Home Assistant is not connected" : "Home Assistant was not heard of yet";
  }

  #sentences({ settings, listening: { reached, bornAt, clients } }: HomeAssistantAnswer) {
    if (!settings.enabled)
      return html`<p>Home Assistant is told nothing. The hub's setting <code>HA_DISCOVERY=on</code> turns it on.</p>`;
    if (!reached) return html`<p class="quiet">The hub tries again every few seconds. What there is to tell waits.</p>`;
    const birth =
      bornAt === null
        ? html`<p class="quiet">It has not greeted since the hub started; it does whenever it starts or connects.</p>`
        : nothing;
    if (settings.broker !== "embedded")
      return html`${birth}
        <p class="quiet">Who is connected to a broker that is not the hub's, only that broker knows.</p>`;
    if (clients.length === 0)
      return html`<p>
        Nobody who may read discovery is connected. Home Assistant connects with a credential of its own:
        <a href=${hrefOf(pathOfSection("mqtt-clients"))}>MQTT credentials</a>
      </p>`;
    return html`<ul>
        ${clients.map(
          ({ name, clientId, since }) =>
            html`<li>
              ${name}, connected since ${when(since, this.clock())}
              <span class="quiet small mono">${clientId}</span>
            </li>`,
        )}
      </ul>
      ${birth}`;
  }

  #facts({ settings, listening: { bornAt }, counts }: HomeAssistantAnswer): Fact[] {
    const { broker, prefix, format, enabled } = settings;
    if (!enabled) return [];
    const told = Object.entries(counts).filter(([, count]) => count > 0);
    // the states of the contract
    const words = told.map(
      ([state, count]) => `${count} ${THING_STATE_WORDS[state as keyof typeof counts].toLowerCase()}`,
    );
    return [
      ["Broker", BROKER_WORDS[broker]],
      ["Discovery prefix", html`<span class="mono">${prefix}</span>`],
      ["Format", FORMAT_WORDS[format]],
      ["Last greeting", bornAt && when(bornAt, this.clock())],
      ["Things", words.join(", ")],
    ];
  }
}
