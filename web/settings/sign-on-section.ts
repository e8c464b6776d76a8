import { LitElement, css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import type { SignOnAnswer, SignOnSettings } from "#contracts/api/sign-on.ts";
import { signOn } from "../api/sign-on.ts";
import { controls } from "../app/controls.ts";
import "../app/copy-text.ts";
import { type Fact, factList, factStyles } from "../app/facts.ts";
import { Reading } from "../live/reading.ts";
import { ROLE_WORDS } from "../words/roles.ts";
import { sectionStyles } from "./section-styles.ts";
import "./sign-on-form.ts";

/** How people log in with an account that they have elsewhere. */
@customElement("sign-on-section")
export class SignOnSection extends LitElement {
  static override styles = [
    controls,
    factStyles,
    ...sectionStyles,
    css`
      .facts {
        grid-template-columns: repeat(auto-fit, minmax(min(16rem, 100%), 1fr));
      }
      .on {
        color: var(--power-on);
      }
      .step {
        display: grid;
        gap: var(--space-2);
      }
    `,
  ];

  @state() private isEditing = false;

  readonly #signOn = new Reading(this, signOn);

  override render() {
    return html`<header><h2>Sign-on</h2></header>
      <p class="quiet">
        People can log in with an account of an OpenID provider, such as Authentik, Keycloak, Entra or Google, beside
        their user name and password.
      </p>
      ${this.#signOn.render((answer) => this.#view(answer))}`;
  }

  #view({ settings, redirectUri, logoutRedirectUri }: SignOnAnswer) {
    return html`<div class="step">
        <p>At the provider, enter this as the redirect URI:</p>
        <copy-text what="redirect URI" .text=${redirectUri}></copy-text>
        <p>and this as the one for log-outs (post-logout redirect URI), if it asks for one:</p>
        <copy-text what="redirect URI for log-outs" .text=${logoutRedirectUri}></copy-text>
      </div>
      ${settings ? this.#provider(settings) : this.#none()}
      ${this.isEditing ? html`<sign-on-form .settings=${settings} @closed=${this.#closed}></sign-on-form>` : nothing}`;
  }

  #none() {
    return html`<p>Then enter here what the provider gives you.</p>
      <div><button class="primary" @click=${this.#edit}>Set up</button></div>`;
  }

  #provider(settings: SignOnSettings) {
    const { name, enabled } = settings;
    return html`<article aria-labelledby="provider">
      <div class="title">
        <h3 id="provider">${name}</h3>
        <button @click=${this.#edit}>Edit</button>
      </div>
      <p>
        ${
          enabled
            ? html`<span class="on">On</span>: the log-in page offers “Log in with ${name}”.`
            : html`<span class="quiet">Off: nobody can log in with it.</span>`
        }
      </p>
      ${factList(factsOf(settings))}
    </article>`;
  }

  readonly #edit = (): void => {
    this.isEditing = true;
  };

  readonly #closed = (): void => {
    this.isEditing = false;
    void this.#signOn.again();
  };
}

function factsOf(settings: SignOnSettings): Fact[] {
  const { issuer, clientId, clientSecretSet, scopes, autoProvision, allowedDomains, roleClaim, defaultRole } = settings;
  const otherwise = ROLE_WORDS[defaultRole].label;
  const mono = (text: string) => html`<span class="mono">${text}</span>`;
  const anyOf = allowedDomains.length > 0 ? ` of ${allowedDomains.join(", ")}` : "";
  return [
    ["Issuer", mono(issuer)],
    ["Client identifier", mono(clientId)],
    ["Client secret", clientSecretSet ? "kept" : "none"],
    ["Scopes", scopes.join(", ")],
    ["Whoever is new", autoProvision ? `gets an account${anyOf && `, with an address${anyOf}`}` : "is turned away"],
    ["Role", roleClaim ? `by the claim ${roleClaim}, else ${otherwise}` : otherwise],
  ];
}
