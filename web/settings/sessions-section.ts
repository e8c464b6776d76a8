import { LitElement, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { SessionAnswer } from "#contracts/api/accounts.ts";
import { CallError } from "../api/call.ts";
import { endSession, sessions } from "../api/me.ts";
import { controls } from "../app/controls.ts";
import { toast } from "../app/toast-list.ts";
import { Live } from "../live/live.ts";
import { Reading } from "../live/reading.ts";
import { ago, when } from "../words/instants.ts";
import { deviceWords } from "../words/user-agent.ts";
import { sectionStyles } from "./section-styles.ts";

const REFRESH_MS = 30_000;

/** Where the account is logged in. What one does not know one ends. */
@customElement("sessions-section")
export class SessionsSection extends LitElement {
  static override styles = [controls, ...sectionStyles];

  /** The ids of those that are being ended. */
  @state() private ending: ReadonlySet<string> = new Set();

  readonly #live = new Live(this);
  readonly #sessions = new Reading(this, sessions, REFRESH_MS);

  override render() {
    const others = (this.#sessions.value ?? []).filter(({ current }) => !current);
    return html`<header>
        <h2>Sessions</h2>
        ${
          others.length > 1
            ? html`<button class="danger" @click=${() => void this.#end(others)}>Log out everywhere else</button>`
            : nothing
        }
      </header>
      <p class="quiet">Where you are logged in. End what you do not know, then change your password.</p>
      ${this.#sessions.render(
        (sessions) =>
          html`<ul class="card rows">
            ${repeat(sessions, ({ id }) => id, this.#row)}
          </ul>`,
      )}`;
  }

  readonly #row = (session: SessionAnswer) => {
    const { current, address, userAgent, createdAt, lastUsedAt } = session;
    const nowMs = this.#live.store.nowMs();
    return html`<li title=${userAgent ?? ""}>
      <div class="fill">
        <b>${deviceWords(userAgent)}</b> ${current ? html`<span class="mark good">This one</span>` : nothing}
        <p class="quiet small">
          ${address ?? "address not known"} · used ${ago(lastUsedAt, nowMs)} · logged in ${when(createdAt, nowMs)}
        </p>
      </div>
      ${current ? this.#logOutButton() : this.#endButton(session)}
    </li>`;
  };

  #logOutButton() {
    const logOut = () => this.dispatchEvent(new CustomEvent("log-out", { bubbles: true, composed: true }));
    return html`<button @click=${logOut}>Log out</button>`;
  }

  #endButton(session: SessionAnswer) {
    const isEnding = this.ending.has(session.id);
    return html`<button
      aria-label="End the session of ${deviceWords(session.userAgent)}"
      aria-disabled=${isEnding ? "true" : "false"}
      @click=${() => void this.#end([session])}
    >
      ${isEnding ? "Ending…" : "End"}
    </button>`;
  }

  async #end(sessions: readonly SessionAnswer[]): Promise<void> {
    const ids = sessions.map(({ id }) => id).filter((id) => !this.ending.has(id));
    this.ending = new Set([...this.ending, ...ids]);
    const problems = await Promise.all(ids.map(problemOfEnding));
    await this.#sessions.again();
    this.ending = new Set([...this.ending].filter((id) => !ids.includes(id)));
    const problem = problems.find((each) => each !== undefined);
    if (problem !== undefined) toast(problem, "bad");
  }
}

/** One that has ended meanwhile is no problem. */
async function problemOfEnding(id: string): Promise<string | undefined> {
  try {
    await endSession(id);
    return undefined;
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    return error.code === "NOT_FOUND" ? undefined : error.message;
  }
}
