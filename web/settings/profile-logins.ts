import { LitElement, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { IdentityAnswer } from "#contracts/api/accounts.ts";
import type { SignOnAnswer } from "#contracts/api/sign-on.ts";
import { signOnProblem } from "#contracts/sign-on-problems.ts";
import { Session } from "../account/session.ts";
import { isInHomeAssistant } from "../api/address.ts";
import { identities, linkIdentity, unlinkIdentity } from "../api/me.ts";
import { signOn } from "../api/sign-on.ts";
import { controls } from "../app/controls.ts";
import { FormState } from "../form/form-state.ts";
import { Reading } from "../live/reading.ts";
import { date } from "../words/instants.ts";
import { sectionStyles } from "./section-styles.ts";

/** The accounts at a provider that log in as this one. Where no provider is set up, there is nothing to see. */
@customElement("profile-logins")
export class ProfileLogins extends LitElement {
  static override styles = [controls, ...sectionStyles];

  /** Whose button was pressed: an identity's id, or `link`. */
  @state() private pressed = "";

  readonly #session = new Session(this);
  readonly #form = new FormState(this);
  readonly #provider = new Reading(this, signOn);
  readonly #linked = new Reading(this, identities);

  override render() {
    const { value: provider } = this.#provider;
    const { value: linked } = this.#linked;
    if (!provider?.enabled && !linked?.length) return nothing;
    const problem = this.#form.problem || signOnProblem(new URLSearchParams(location.search).get("problem"));
    return html`<section class="card" aria-labelledby="title">
      <h3 id="title">Log-in by provider</h3>
      ${this.#linked.render((linked) => this.#list(linked, provider))}
      ${problem ? html`<p class="problem" role="alert">${problem}</p>` : nothing}
      ${provider?.enabled && !isInHomeAssistant() && linked && !isLinked(linked, provider) ? this.#linkButton(provider.name ?? "the provider") : nothing}
    </section>`;
  }

  #list(linked: readonly IdentityAnswer[], provider: SignOnAnswer | undefined) {
    if (linked.length === 0)
      return html`<p class="quiet">
        Link your account at ${provider?.name ?? "the provider"}, and you can log in with it.
      </p>`;
    return html`<ul class="rows">
      ${repeat(linked, ({ id }) => id, this.#row)}
    </ul>`;
  }

  readonly #row = ({ id, provider, email, createdAt, lastLoginAt }: IdentityAnswer) => {
    return html`<li>
      <div class="fill">
        <b>${provider}</b>${email ? html` · ${email}` : nothing}
        <p class="quiet small">
          Linked ${date(createdAt)} · ${lastLoginAt ? `used last ${date(lastLoginAt)}` : "not used yet"}
        </p>
      </div>
      ${
        this.#isOnlyWayIn
          ? html`<p class="quiet small">Your only way to log in. With a password of your own you can unlink it.</p>`
          : this.#unlinkButton(id, provider)
      }
    </li>`;
  };

  get #isOnlyWayIn(): boolean {
    return this.#session.store.me?.hasPassword === false && this.#linked.value?.length === 1;
  }

  #unlinkButton(id: string, provider: string) {
    const isBusy = this.#form.isBusy && this.pressed === id;
    return html`<button
      aria-label="Unlink ${provider}"
      aria-disabled=${isBusy ? "true" : "false"}
      @click=${() => void this.#do(id, () => unlinkIdentity(id))}
    >
      ${isBusy ? "Unlinking…" : "Unlink"}
    </button>`;
  }

  #linkButton(name: string) {
    const isBusy = this.#form.isBusy && this.pressed === "link";
    return html`<div class="actions">
      <button
        aria-disabled=${isBusy ? "true" : "false"}
        @click=${() => void this.#do("link", async () => location.assign(await linkIdentity()))}
      >
        ${isBusy ? `Going to ${name}…` : `Link an account at ${name}`}
      </button>
    </div>`;
  }

  async #do(what: string, work: () => Promise<void>): Promise<void> {
    if (this.#form.isBusy) return;
    this.pressed = what;
    if (await this.#form.submit(work)) await this.#linked.again();
  }
}

function isLinked(linked: readonly IdentityAnswer[], { name }: SignOnAnswer): boolean {
  return linked.some(({ provider }) => provider === name);
}
