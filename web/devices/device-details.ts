import { mdiClose } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { ClusterAnswer } from "#contracts/api/clusters.ts";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import { type Actor, mayChange, mayWake, reachFor } from "#contracts/rights.ts";
import { deleteDevice } from "../api/devices.ts";
import { type NamedUser, userNames } from "../api/users.ts";
import { controls } from "../app/controls.ts";
import { type Fact, factList, factStyles } from "../app/facts.ts";
import { icon } from "../app/icon.ts";
import { DeleteButton } from "../form/delete-button.ts";
import { dialogStyles } from "../form/form-dialog.ts";
import { NOBODY } from "../live/actor.ts";
import type { LiveStore } from "../live/live-store.ts";
import { Reading } from "../live/reading.ts";
import { Seconds } from "../live/seconds.ts";
import { ownerWords, shareWords } from "../sharing/sharing-words.ts";
import { EVIDENCE_WORDS, elapsedSeconds, noteOf, powerSentence, wakeWindowSeconds } from "../words/device.ts";
import { when } from "../words/instants.ts";
import { PowerButton } from "./power-button.ts";
import "./power-light.ts";
import "./wake-history.ts";

/**
 * One device with everything that is known of it, and its last wakes.
 *
 * @fires wake @fires wake-anyway @fires cancel-wake @fires edit each with the device
 * @fires closed
 */
@customElement("device-details")
export class DeviceDetails extends LitElement {
  static override styles = [
    controls,
    ...dialogStyles,
    factStyles,
    css`
      .now {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr) auto;
        align-items: center;
        gap: var(--space-3);
        font-variant-numeric: tabular-nums;
      }
      .state {
        font-weight: 550;
      }
      .warning {
        color: var(--warning);
      }
      h3 {
        font-size: 1rem;
      }
    `,
  ];

  @property({ attribute: false }) device: DeviceAnswer | undefined;
  @property({ attribute: false }) store: LiveStore | undefined;
  @property({ attribute: false }) actor: Actor = NOBODY;
  @property({ type: Boolean }) asking = false;
  @property() problem: string | undefined;

  readonly #seconds = new Seconds(this);
  readonly #power = new PowerButton(this, { anyway: true, named: false, rest: ".head button" });
  readonly #delete = new DeleteButton(this, this);
  readonly #users = new Reading(this, () => this.#readNames());
  @state() private isOpen = true;

  override willUpdate(): void {
    this.#seconds.run(this.isOpen);
  }

  override firstUpdated(): void {
    this.renderRoot.querySelector("dialog")?.showModal();
  }

  close(): void {
    this.renderRoot.querySelector("dialog")?.close();
  }

  override render() {
    const { device } = this;
    if (!device) return nothing;
    return html`<dialog aria-labelledby="title" @close=${this.#closed}>
      <div class="head">
        <h2 id="title">${device.name}</h2>
        <button class="plain icon-only" aria-label="Close" @click=${() => this.close()}>${icon(mdiClose)}</button>
      </div>
      <div class="body fields">
        ${this.#now(device)} ${device.description ? html`<p>${device.description}</p>` : nothing}
        ${factList(this.#facts(device))}
        <h3>Last wakes</h3>
        <wake-history .deviceId=${device.id} .lastWake=${device.lastWake} .clock=${this.#clock}></wake-history>
      </div>
      ${mayChange(this.actor, "device:change", device) ? this.#footer(device) : nothing}
    </dialog>`;
  }

  #footer(device: DeviceAnswer) {
    if (this.#delete.isAsking) return html`<footer>${this.#deleteButton(device)}</footer>`;
    return html`<footer>
      <div class="buttons">
        <div class="fill">${this.#deleteButton(device)}</div>
        <button @click=${() => this.#say("edit")}>Edit</button>
      </div>
    </footer>`;
  }

  #deleteButton({ id, name }: DeviceAnswer) {
    return this.#delete.render({
      name,
      label: "Delete device",
      question: `Delete ${name} with its history?`,
      work: () => deleteDevice(id),
    });
  }

  #now(device: DeviceAnswer) {
    const { power, since } = device;
    const nowMs = this.#clock();
    const mayWakeIt = mayWake(this.actor, device, this.#clusterOf(device));
    const note = noteOf(device, this.store?.newsOf(device.id), { nowMs, mayWake: mayWakeIt });
    const progress = since && power === "waking" ? elapsedSeconds(since, nowMs) / wakeWindowSeconds(device) : 0;
    return html`<div class="now">
      <power-light .power=${power} .progress=${progress}></power-light>
      <div>
        <p class="state">${powerSentence(device, nowMs)}</p>
        ${
          this.problem
            ? html`<p class="problem" role="alert">${this.problem}</p>`
            : note
              ? html`<p class=${note.tone}>${note.text}</p>`
              : nothing
        }
      </div>
      ${mayWakeIt ? this.#power.render(device, this.asking) : nothing}
    </div>`;
  }

  #facts(device: DeviceAnswer): Fact[] {
    const { evidence, tags } = device;
    return [
      [
        "Seen up", // by whom first; later sightings are not told one by one
        evidence && `${when(evidence.at, this.#clock())} by ${evidence.by} (${EVIDENCE_WORDS[evidence.how]})`,
      ],
      ["MAC address", html`<span class="mono">${device.mac}</span>`],
      ["Address", device.address && html`<span class="mono">${device.address}</span>`],
      ["Cluster", device.clusterId === null ? "none" : this.#clusterOf(device)?.name],
      ["Owner", this.#seesUsers ? ownerWords(device, this.actor, this.#userOf) : undefined],
      ["Shared with", this.#seesUsers ? shareWords(device, this.actor, this.#userOf) : undefined],
      ["Agents", reachFor(this.actor, "agent:read") && this.#agentWords(device)],
      ["Key in topics", html`<span class="mono">${device.key}</span>`],
      ["Tags", tags.join(", ")],
    ];
  }

  get #seesUsers(): boolean {
    return reachFor(this.actor, "user:read") !== undefined;
  }

  /** Nobody is asked for names where there are none to tell. */
  async #readNames(): Promise<NamedUser[]> {
    const { ownerId, shares } = this.device ?? { ownerId: null, shares: [] };
    const ids = [...(ownerId === null ? [] : [ownerId]), ...shares.map(({ userId }) => userId)];
    const isOfOthers = ids.some((id) => id !== this.actor.userId);
    return this.#seesUsers && isOfOthers ? await userNames() : [];
  }

  readonly #userOf = (userId: string): NamedUser | undefined => this.#users.value?.find(({ id }) => id === userId);

  #agentWords({ agentIds, clusterId }: DeviceAnswer): string {
    const names = agentIds.flatMap((id) => this.store?.agents.get(id)?.name ?? []);
    if (names.length > 0) return names.join(", ");
    return clusterId === null ? "all in no cluster" : "all of its cluster";
  }

  #clusterOf({ clusterId }: DeviceAnswer): ClusterAnswer | undefined {
    return clusterId === null ? undefined : this.store?.clusters.get(clusterId);
  }

  readonly #clock = (): number => this.store?.nowMs() ?? Date.now();

  readonly #closed = (): void => {
    this.isOpen = false;
    this.dispatchEvent(new CustomEvent("closed"));
  };

  #say(event: string): void {
    this.dispatchEvent(new CustomEvent(event, { detail: this.device }));
  }
}
