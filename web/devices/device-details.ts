import { mdiClose } from "@mdi/js";
import { LitElement, type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { ClusterAnswer } from "#contracts/api/clusters.ts";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import { type Actor, mayChange, mayPower, mayWake, reachFor } from "#contracts/rights.ts";
import { deleteDevice } from "../api/devices.ts";
import { type NamedUser, userNames } from "../api/users.ts";
import { controls } from "../app/controls.ts";
import { factList, factStyles } from "../app/facts.ts";
import { icon } from "../app/icon.ts";
import { DeleteButton } from "../form/delete-button.ts";
import { type FetchedPart, fetched } from "../app/fetched.ts";
import { dialogStyles, foldStyles } from "../form/form-dialog.ts";
import "../leases/device-leases.ts";
import { NOBODY } from "../live/actor.ts";
import type { LiveStore } from "../live/live-store.ts";
import { Reading } from "../live/reading.ts";
import { Seconds } from "../live/seconds.ts";
import { ownerWords, shareWords } from "../sharing/sharing-words.ts";
import { needsOf } from "../needs/needs.rules.ts";
import { isInNeedOfDoctor, noteOf, powerSentence, wakeProgress } from "../words/device.ts";
import { type FactContext, factsOf } from "./device-facts.ts";
import { type MayDo, isWokenAnyway } from "./offer.rules.ts";
import { PowerButton } from "./power-button.ts";
import "./power-light.ts";
import "./wake-history.ts";

/**
 * One device with everything that is known of it, and its last wakes.
 *
 * @fires wake @fires wake-anyway @fires cancel-wake @fires power-off @fires cancel-power-off @fires doctor
 * @fires power-method @fires edit each with the device
 * @fires closed
 */
@customElement("device-details")
export class DeviceDetails extends LitElement {
  static override styles = [
    controls,
    ...dialogStyles,
    factStyles,
    foldStyles,
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
        flex: 1;
        font-size: 1rem;
      }
      .titled {
        display: flex;
        align-items: center;
        gap: var(--space-3);
      }
      .link {
        display: inline;
        min-height: 0;
        padding: 0;
        border: 0;
        background: none;
        color: var(--accent);
        font-weight: 450;
        text-decoration: underline;
        text-underline-offset: 0.15em;
      }
      section {
        display: grid;
        gap: var(--space-2);
      }
    `,
  ];

  @property({ attribute: false }) device: DeviceAnswer | undefined;
  @property({ attribute: false }) store: LiveStore | undefined;
  @property({ attribute: false }) actor: Actor = NOBODY;
  @property({ type: Boolean }) asking = false;
  @property() problem: string | undefined;
  /** The account's own name, by which it holds devices on. */
  @property() username = "";

  readonly #seconds = new Seconds(this);
  readonly #power = new PowerButton(this, { anyway: true, named: false, rest: ".head button" });
  readonly #delete = new DeleteButton(this, this);
  readonly #users = new Reading(this, () => this.#readNames());
  @state() private isOpen = true;
  @state() private unfolded: ReadonlySet<FetchedPart> = new Set();

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
        ${factList(factsOf(device, this.#context(device)))} ${this.#leases(device)}
        <section>
          <div class="titled">
            <h3>Last wakes</h3>
            ${isWokenAnyway(device, this.#mayDo(device)) ? this.#wakeAnyway() : nothing}
            ${
              this.#mayWake(device)
                ? html`<button aria-haspopup="dialog" @click=${() => this.#say("doctor")}>Check…</button>`
                : nothing
            }
          </div>
          <wake-history .deviceId=${device.id} .lastWake=${device.lastWake} .clock=${this.#clock}></wake-history>
        </section>
        ${this.#folded(
          "Last power-offs",
          "power-off-history",
          html`<power-off-history
            .deviceId=${device.id}
            .lastPowerOff=${device.lastPowerOff}
            .clock=${this.#clock}
          ></power-off-history>`,
        )}
        ${this.#folded(
          "Last days",
          "power-days",
          html`<power-days .deviceId=${device.id} .power=${device.power} .clock=${this.#clock}></power-days>`,
        )}
      </div>
      ${mayChange(this.actor, "device:change", device) ? this.#footer(device) : nothing}
    </dialog>`;
  }

  /** Its code is fetched, and what it shows is read, when somebody wants to see it. */
  #folded(title: string, part: FetchedPart, content: TemplateResult) {
    const toggled = async ({ newState }: ToggleEvent) => {
      if (newState !== "open" || this.unfolded.has(part) || !(await fetched(part))) return;
      this.unfolded = new Set([...this.unfolded, part]);
    };
    return html`<details @toggle=${toggled}>
      <summary>${title}</summary>
      <div class="fields">${this.unfolded.has(part) ? content : html`<p class="quiet" role="status">Loading…</p>`}</div>
    </details>`;
  }

  #leases(device: DeviceAnswer) {
    const mayHold = this.#mayWake(device);
    if (!mayHold && device.leases === 0) return nothing;
    return html`<section>
      <h3>Held on</h3>
      <device-leases
        .device=${device}
        .store=${this.store}
        .mayHold=${mayHold}
        .mayGiveBackAll=${mayChange(this.actor, "device:change", device)}
        .username=${this.username}
      ></device-leases>
    </section>`;
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
    const nowMs = this.#clock();
    const mayDo = this.#mayDo(device);
    const steps = this.store?.stepsOf(device.id) ?? [];
    const note = noteOf(device, this.store?.newsOf(device.id), { nowMs, steps, ...mayDo });
    const { done, isSlow } = wakeProgress(device, nowMs);
    const why = mayDo.mayWake && isInNeedOfDoctor(device) ? this.#why() : nothing;
    return html`<div class="now">
      <power-light .power=${device.power} .progress=${done} ?slow=${isSlow}></power-light>
      <div>
        <p class="state">${powerSentence(device, nowMs)}</p>
        ${
          this.problem
            ? html`<p class="problem" role="alert">${this.problem}</p>`
            : note
              ? html`<p class=${note.tone}>${note.text}${why}</p>`
              : nothing
        }
      </div>
      ${this.#power.render(device, mayDo, this.asking)}
    </div>`;
  }

  #wakeAnyway() {
    return html`<button
      title="Sends magic packets although it is seen to be on"
      @click=${() => this.#say("wake-anyway")}
    >
      Wake anyway
    </button>`;
  }

  #why() {
    return html` <button class="link" aria-haspopup="dialog" @click=${() => this.#say("doctor")}>Why?</button>`;
  }

  #context(device: DeviceAnswer): FactContext {
    const mayChangeIt = mayChange(this.actor, "device:change", device);
    return {
      nowMs: this.#clock(),
      cluster: device.clusterId === null ? "none" : this.#clusterOf(device)?.name,
      owner: this.#seesUsers ? ownerWords(device, this.actor, this.#userOf) : undefined,
      sharedWith: this.#seesUsers ? shareWords(device, this.actor, this.#userOf) : undefined,
      agents: reachFor(this.actor, "agent:read") && this.#agentWords(device),
      needs: this.store ? needsOf(device, this.store).map(({ name }) => name) : [],
      mayPower: mayChangeIt || this.#mayPower(device),
      otherWay: mayChangeIt
        ? html`<button class="link" aria-haspopup="dialog" @click=${() => this.#say("power-method")}>
            ${device.powerMethod === null ? "Another way…" : "Change…"}
          </button>`
        : nothing,
    };
  }

  #mayDo(device: DeviceAnswer): MayDo {
    return { mayWake: this.#mayWake(device), mayPower: this.#mayPower(device) };
  }

  #mayWake(device: DeviceAnswer): boolean {
    return mayWake(this.actor, device, this.#clusterOf(device));
  }

  #mayPower(device: DeviceAnswer): boolean {
    return mayPower(this.actor, device, this.#clusterOf(device));
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
