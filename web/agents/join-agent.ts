import { mdiCheckCircle, mdiClose } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { AgentAnswer } from "#contracts/api/agents.ts";
import type { ClusterAnswer } from "#contracts/api/clusters.ts";
import { type Enrolment, createEnrolment } from "../api/agents.ts";
import { controls } from "../app/controls.ts";
import "../app/copy-text.ts";
import { icon } from "../app/icon.ts";
import { clusterOptions, onlyCluster } from "../clusters/cluster-options.ts";
import { selectField } from "../form/fields.ts";
import { FormState } from "../form/form-state.ts";
import { dialogStyles } from "../form/form-dialog.ts";
import { textOrNull } from "../form/values.ts";
import { when } from "../words/instants.ts";

const ELSEWHERE =
  "The command names this very machine. For an agent on another one, open this page by an address of the hub that the other machine can reach, too.";

/** Whether another machine that runs the command would look for the hub on itself. */
function isOfThisMachine(command: string): boolean {
  return /\/\/(?:localhost|127\.|\[::1\])/.test(command);
}

/**
 * Makes a join code and shows the command to run on the agent's machine; the agent appears by itself when it has joined.
 *
 * @fires closed
 */
@customElement("join-agent")
export class JoinAgent extends LitElement {
  static override styles = [
    controls,
    ...dialogStyles,
    css`
      .joined {
        display: flex;
        align-items: center;
        gap: var(--space-3);
        padding: var(--space-2) var(--space-3);
        border-radius: var(--radius-small);
        background: var(--power-on-soft);
        color: var(--power-on);
        font-weight: 550;
      }
      .waiting {
        color: var(--power-waking);
      }
      .step {
        display: grid;
        gap: var(--space-2);
      }
      summary {
        padding: var(--space-1) 0;
        color: var(--accent);
        cursor: pointer;
      }
    `,
  ];

  @property({ attribute: false }) agents: readonly AgentAnswer[] = [];
  @property({ attribute: false }) clusters: ReadonlyMap<string, ClusterAnswer> = new Map();
  @property({ attribute: false }) clock: () => number = Date.now;
  @state() private enrolment: Enrolment | undefined;

  readonly #form = new FormState(this);
  #known: ReadonlySet<string> = new Set();
  #proposed: string | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#known = new Set(this.agents.map(({ id }) => id));
    this.#proposed = onlyCluster(this.clusters);
  }

  override firstUpdated(): void {
    this.renderRoot.querySelector("dialog")?.showModal();
  }

  override render() {
    return html`<dialog aria-labelledby="title" @close=${() => this.dispatchEvent(new CustomEvent("closed"))}>
      ${this.enrolment ? this.#waiting(this.enrolment) : this.#question()}
    </dialog>`;
  }

  #question() {
    const form = this.#form;
    return html`<form novalidate @submit=${this.#submitted}>
      ${this.#head()}
      <div class="body fields">
        <p class="quiet">
          An agent runs on a machine that is always on, such as a Raspberry Pi or a NAS, in the LAN of the devices that
          it is to wake. It dials out to this hub; nothing has to be opened there.
        </p>
        ${
          this.clusters.size > 0
            ? selectField(form, {
                name: "clusterId",
                label: "Cluster",
                value: this.#proposed ?? "",
                options: clusterOptions(this.clusters),
                hint: "It serves the devices of this cluster.",
              })
            : nothing
        }
      </div>
      <footer>
        ${form.problem ? html`<p class="problem" role="alert">${form.problem}</p>` : nothing}
        <div class="buttons">
          <button type="button" @click=${this.#close}>Cancel</button>
          <button class="primary" aria-disabled=${form.isBusy ? "true" : "false"}>
            ${form.isBusy ? "Making a join code…" : "Make a join code"}
          </button>
        </div>
      </footer>
    </form>`;
  }

  #waiting({ command, code, expiresAt }: Enrolment) {
    const joined = this.#joined();
    return html`${this.#head()}
      <div class="body fields">
        <div class="step">
          <p>On the agent's machine, in a terminal in PowerBeacon's folder:</p>
          <copy-text what="command to join" .text=${command}></copy-text>
          <p>Then start it, and leave it running:</p>
          <copy-text what="command to run" text="npm run agent -- run"></copy-text>
          ${isOfThisMachine(command) ? html`<p class="quiet small">${ELSEWHERE}</p>` : nothing}
        </div>
        <details>
          <summary>On a machine without PowerBeacon's folder</summary>
          <div class="step">
            <p class="quiet">
              Copy the one file <span class="mono">powerbeacon-agent.mjs</span> there (<span class="mono"
                >npm run build:agent</span
              >
              makes it). It needs Node 22 or newer.
            </p>
            <copy-text
              what="command to join by the file"
              .text=${command.replace("npm run agent --", "node powerbeacon-agent.mjs")}
            ></copy-text>
            <copy-text what="command to run the file" text="node powerbeacon-agent.mjs run"></copy-text>
            <p class="quiet">In a container the code is a setting:</p>
            <copy-text what="setting" .text=${`JOIN_CODE=${code}`}></copy-text>
          </div>
        </details>
        <p class="quiet small">The join code works once, until ${when(expiresAt, this.clock())}.</p>
      </div>
      <footer>
        <div class="buttons">
          <div class="fill" role="status">
            ${joined.length > 0 ? joined.map(joinedWords) : html`<p class="waiting">Waiting for the agent to join…</p>`}
          </div>
          <button class=${joined.length > 0 ? "primary" : ""} @click=${this.#close}>
            ${joined.length > 0 ? "Done" : "Close"}
          </button>
        </div>
      </footer>`;
  }

  #head() {
    return html`<div class="head">
      <h2 id="title">Join an agent</h2>
      <button type="button" class="plain icon-only" aria-label="Close" @click=${this.#close}>${icon(mdiClose)}</button>
    </div>`;
  }

  /** Who was not there when the code was made. */
  #joined(): AgentAnswer[] {
    return this.agents.filter(({ id }) => !this.#known.has(id));
  }

  readonly #close = (): void => {
    this.renderRoot.querySelector("dialog")?.close();
  };

  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    await this.#form.submit(async () => {
      this.enrolment = await createEnrolment({ clusterId: textOrNull(data, "clusterId") });
    });
  };
}

function joinedWords({ name, status }: AgentAnswer) {
  const words = status === "online" ? `${name} has joined and is online` : `${name} has joined; now run it`;
  return html`<p class="joined">${icon(mdiCheckCircle)} <span>${words}</span></p>`;
}
