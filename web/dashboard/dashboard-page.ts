import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { AgentAnswer } from "#contracts/api/agents.ts";
import type { ClusterAnswer } from "#contracts/api/clusters.ts";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import { type Actor, mayChange } from "#contracts/rights.ts";
import { Session } from "../account/session.ts";
import "../agents/agent-details.ts";
import type { AgentDetails } from "../agents/agent-details.ts";
import { controls } from "../app/controls.ts";
import { type Opened, navigate, pathOf } from "../app/router.ts";
import { toast } from "../app/toast-list.ts";
import "../clusters/cluster-form.ts";
import type { ClusterForm } from "../clusters/cluster-form.ts";
import "../devices/device-details.ts";
import { actorOf } from "../live/actor.ts";
import { Live } from "../live/live.ts";
import { byName } from "../words/by-name.ts";
import "./cluster-section.ts";
import { DashboardDialogs } from "./dashboard-dialogs.ts";
import "./first-steps.ts";
import { grouped } from "./groups.ts";
import "./hub-banner.ts";
import "./top-bar.ts";
import { PowerRequests } from "./power-requests.ts";

/** Every device, grouped by cluster, live. */
@customElement("dashboard-page")
export class DashboardPage extends LitElement {
  static override styles = [
    controls,
    css`
      main {
        display: grid;
        gap: var(--space-6);
        max-width: var(--width-page);
        margin: 0 auto;
        padding: var(--space-5) var(--space-4) var(--space-7);
      }
      .summary {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        gap: var(--space-1) var(--space-4);
        font-variant-numeric: tabular-nums;
      }
      h1 {
        font-size: var(--size-title);
        line-height: 1.3;
      }
      .top {
        display: grid;
        gap: var(--space-3);
      }
    `,
  ];

  /** What the address names. */
  @property({ attribute: false }) opened: Opened | undefined;

  /** What the address named a moment ago: when it is gone now, somebody deleted it. */
  #shown: { readonly path: string; readonly name: string } | undefined;
  readonly #session = new Session(this);
  readonly #live = new Live(this);
  readonly #power = new PowerRequests(this, this.#live.store);
  readonly #dialogs = new DashboardDialogs(this, this.#live.store, this.#power);
  readonly #clock = (): number => this.#live.store.nowMs();
  readonly #newsOf = (deviceId: string) => this.#live.store.newsOf(deviceId);
  readonly #stepsOf = (deviceId: string) => this.#live.store.stepsOf(deviceId);

  /** The browser's own way back does not throw away what was typed: the form that holds it is asked, and stays. */
  override willUpdate(changed: Map<PropertyKey, unknown>): void {
    const before = changed.get("opened") as Opened | undefined;
    if (!changed.has("opened") || !before || (this.opened && pathOf(this.opened) === pathOf(before))) return;
    const form = this.renderRoot.querySelector<ClusterForm | AgentDetails>("main ~ cluster-form, main ~ agent-details");
    if (!form || form.mayLeave()) return;
    this.opened = before;
    navigate(pathOf(before));
  }

  override render() {
    const { open } = this.#dialogs;
    return html`<top-bar
        .isAdding=${true}
        @add-device=${() => void open({ type: "device" })}
        @add-cluster=${() => void open({ type: "cluster" })}
        @join-agent=${() => void open({ type: "join" })}
        @import-devices=${() => void open({ type: "import" })}
        @export-devices=${() => void open({ type: "export" })}
      ></top-bar>
      <main
        @wake=${this.#wake}
        @cancel-wake=${this.#cancel}
        @power-off=${this.#powerOff}
        @cancel-power-off=${this.#cancelPowerOff}
        @doctor=${this.#doctor}
      >
        ${this.#content()}
      </main>
      ${this.#dialogs.render(this.#actor, this.#clock)} ${this.#openedDialog()}`;
  }

  #content() {
    const { devices, agents, connection, heardAt, hub, isOutdated } = this.#live.store;
    if (heardAt === undefined)
      return html`<hub-banner .connection=${connection}></hub-banner>
        <p class="quiet" role="status">Loading…</p>`;
    return html`<div class="top">
        <hub-banner
          .connection=${connection}
          .heardAt=${heardAt}
          .outdated=${isOutdated}
          .database=${hub?.database ?? "ok"}
          .broker=${hub?.broker ?? "ok"}
          .audit=${hub?.audit ?? "ok"}
        ></hub-banner>
        ${this.#summary()}
      </div>
      ${devices.size === 0 || agents.size === 0 ? this.#firstSteps() : nothing} ${this.#sections()}`;
  }

  override updated(): void {
    const { connection, heardAt } = this.#live.store;
    if (connection !== "live" || heardAt === undefined || !this.opened) return;
    const row = this.#openedRow(this.opened);
    const path = pathOf(this.opened);
    if (row && this.#mayOpen(row)) {
      this.#shown = { path, name: row.name };
      return;
    }
    if (row) toast(`Your account may not change ${row.name}`, "bad");
    else if (this.#shown?.path === path) {
      toast(`${this.#shown.name} is deleted`);
      this.#focusHeading(); // what led to it is gone
    } else toast(`There is no ${this.opened.kind} “${this.opened.key}”`, "bad");
    navigate("/");
  }

  /** For whoever may take them. */
  #firstSteps() {
    const { devices, agents } = this.#live.store;
    const { store } = this.#session;
    const { open } = this.#dialogs;
    if (store.may("device:create"))
      return html`<first-steps
        .hasAgent=${agents.size > 0}
        .hasDevice=${devices.size > 0}
        .mayJoin=${store.may("agent:manage")}
        @join-agent=${() => void open({ type: "join" })}
        @add-device=${() => void open({ type: "device" })}
        @import-devices=${() => void open({ type: "import" })}
      ></first-steps>`;
    return devices.size === 0 ? html`<p class="quiet">There are no devices yet.</p>` : nothing;
  }

  #focusHeading(): void {
    this.renderRoot.querySelector("h1")?.focus();
  }

  #summary() {
    const { devices, agents } = this.#live.store;
    const count = (rows: Iterable<DeviceAnswer>, power: string) =>
      [...rows].filter((row) => row.power === power).length;
    const [on, waking] = [count(devices.values(), "on"), count(devices.values(), "waking")];
    const online = [...agents.values()].filter(({ status }) => status === "online").length;
    if (devices.size === 0) return html`<h1 class="visually-hidden" tabindex="-1">No devices yet</h1>`;
    return html`<div class="summary">
      <h1 tabindex="-1">${on} of ${devices.size} on</h1>
      ${waking > 0 ? html`<p>${waking} waking</p>` : nothing}
      ${agents.size > 0 ? html`<p class="quiet">${online} of ${agents.size} agents online</p>` : nothing}
    </div>`;
  }

  #sections() {
    const { devices, agents, clusters } = this.#live.store;
    const devicesOf = grouped(devices.values());
    const agentsOf = grouped(agents.values());
    const { openCluster } = this.#dialogs;
    const section = (cluster: ClusterAnswer | undefined) => {
      const id = cluster?.id ?? null;
      return html`<cluster-section
        .cluster=${cluster}
        .heading=${clusters.size === 0 ? "Devices" : "In no cluster"}
        .devices=${devicesOf.get(id) ?? []}
        .agents=${agentsOf.get(id) ?? []}
        .actor=${this.#actor}
        .asking=${this.#power.asking}
        .problems=${this.#power.problems}
        .newsOf=${this.#newsOf}
        .stepsOf=${this.#stepsOf}
        .clock=${this.#clock}
        @wake-cluster=${(event: CustomEvent<ClusterAnswer>) => openCluster(event.detail, "wake")}
        @power-off-cluster=${(event: CustomEvent<ClusterAnswer>) => openCluster(event.detail, "off")}
      ></cluster-section>`;
    };
    const hasLoose = devicesOf.has(null) || agentsOf.has(null);
    return html`${repeat([...clusters.values()].toSorted(byName), ({ id }) => id, section)}
    ${hasLoose ? section(undefined) : nothing}`;
  }

  /** The dialog of the address. It stays open while its row changes, and goes with it. */
  #openedDialog() {
    if (!this.opened) return nothing;
    const row = this.#openedRow(this.opened);
    if (!row || !this.#mayOpen(row)) return nothing;
    const close = () => navigate("/");
    const { store } = this.#live;
    switch (this.opened.kind) {
      case "device":
        return html`<device-details
          .device=${row}
          .store=${store}
          .actor=${this.#actor}
          .username=${this.#session.store.me?.username ?? ""}
          .problem=${this.#power.problems.get(row.id)}
          .asking=${this.#power.asking.has(row.id)}
          @wake=${this.#wake}
          @wake-anyway=${this.#wakeAnyway}
          @cancel-wake=${this.#cancel}
          @power-off=${this.#powerOff}
          @cancel-power-off=${this.#cancelPowerOff}
          @doctor=${this.#doctor}
          @power-method=${this.#powerMethod}
          @edit=${this.#edit}
          @closed=${close}
        ></device-details>`;
      case "cluster":
        return html`<cluster-form
          .cluster=${row}
          .store=${store}
          .actor=${this.#actor}
          @closed=${close}
        ></cluster-form>`;
      case "agent":
        return html`<agent-details
          .agent=${row}
          .store=${store}
          .mayChange=${this.#session.store.may("agent:manage")}
          @closed=${close}
        ></agent-details>`;
    }
  }

  #openedRow({ kind, key }: Opened): DeviceAnswer | ClusterAnswer | AgentAnswer | undefined {
    const { devices, clusters, agents } = this.#live.store;
    const rows: Iterable<DeviceAnswer | ClusterAnswer | AgentAnswer> = {
      device: devices,
      cluster: clusters,
      agent: agents,
    }[kind].values();
    return [...rows].find((row) => row.key === key);
  }

  /** A cluster is opened to be changed; everything else may be looked at. */
  #mayOpen({ id }: { id: string }): boolean {
    const cluster = this.#live.store.clusters.get(id);
    return cluster === undefined || mayChange(this.#actor, "cluster:change", cluster);
  }

  get #actor(): Actor {
    return actorOf(this.#session.store.me);
  }

  readonly #wake = (event: Event): void => void this.#dialogs.wake(deviceOf(event));
  readonly #wakeAnyway = (event: Event): void => void this.#power.wake(deviceOf(event), { force: true });
  readonly #cancel = (event: Event): void => void this.#power.cancel(deviceOf(event));
  readonly #cancelPowerOff = (event: Event): void => void this.#power.cancelPowerOff(deviceOf(event));
  readonly #powerOff = (event: Event): void => this.#open("power-off", event);
  readonly #doctor = (event: Event): void => this.#open("doctor", event);
  readonly #powerMethod = (event: Event): void => this.#open("power-method", event);
  readonly #edit = (event: Event): void => this.#open("device", event);

  #open(type: "device" | "power-off" | "doctor" | "power-method", event: Event): void {
    void this.#dialogs.open({ type, device: deviceOf(event) });
  }
}

function deviceOf(event: Event): DeviceAnswer {
  return (event as CustomEvent<DeviceAnswer>).detail;
}
