import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { AgentAnswer } from "#contracts/api/agents.ts";
import type { ClusterAnswer } from "#contracts/api/clusters.ts";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import { type Actor, mayChange } from "#contracts/rights.ts";
import { Session } from "../account/session.ts";
import "../agents/agent-details.ts";
import type { AgentDetails } from "../agents/agent-details.ts";
import "../agents/join-agent.ts";
import { controls } from "../app/controls.ts";
import { type Opened, navigate, pathOf } from "../app/router.ts";
import { toast } from "../app/toast-list.ts";
import "../clusters/cluster-form.ts";
import type { ClusterForm } from "../clusters/cluster-form.ts";
import "../devices/device-details.ts";
import "../devices/device-form.ts";
import { type FetchedDialog, fetched } from "../imports/fetched.ts";
import { actorOf } from "../live/actor.ts";
import { Live } from "../live/live.ts";
import { byName } from "../words/by-name.ts";
import "./cluster-section.ts";
import "./first-steps.ts";
import { grouped } from "./groups.ts";
import "./hub-banner.ts";
import "./top-bar.ts";
import { WakeRequests } from "./wake-requests.ts";

/** A dialog that stands above the dashboard without an address of its own. */
type Dialog =
  | { readonly type: "device"; readonly device?: DeviceAnswer }
  | { readonly type: "cluster" | "join" | FetchedDialog };

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
  @state() private dialog: Dialog | undefined;

  /** What the address named a moment ago: when it is gone now, somebody deleted it. */
  #shown: { readonly path: string; readonly name: string } | undefined;
  readonly #session = new Session(this);
  readonly #live = new Live(this);
  readonly #wakes = new WakeRequests(this, this.#live.store);
  readonly #clock = (): number => this.#live.store.nowMs();
  readonly #newsOf = (deviceId: string) => this.#live.store.newsOf(deviceId);

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
    return html`<top-bar
        .isAdding=${true}
        @add-device=${() => (this.dialog = { type: "device" })}
        @add-cluster=${() => (this.dialog = { type: "cluster" })}
        @join-agent=${this.#join}
        @import-devices=${() => void this.#fetch("import")}
        @export-devices=${() => void this.#fetch("export")}
      ></top-bar>
      <main @wake=${this.#wake} @cancel-wake=${this.#cancel}>${this.#content()}</main>
      ${this.#dialogOf(this.dialog)} ${this.#openedDialog()}`;
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
    if (store.may("device:create"))
      return html`<first-steps
        .hasAgent=${agents.size > 0}
        .hasDevice=${devices.size > 0}
        .mayJoin=${store.may("agent:manage")}
        @join-agent=${this.#join}
        @add-device=${() => (this.dialog = { type: "device" })}
        @import-devices=${() => void this.#fetch("import")}
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
    const section = (cluster: ClusterAnswer | undefined) => {
      const id = cluster?.id ?? null;
      return html`<cluster-section
        .cluster=${cluster}
        .heading=${clusters.size === 0 ? "Devices" : "In no cluster"}
        .devices=${devicesOf.get(id) ?? []}
        .agents=${agentsOf.get(id) ?? []}
        .actor=${this.#actor}
        .asking=${this.#wakes.asking}
        .problems=${this.#wakes.problems}
        .newsOf=${this.#newsOf}
        .clock=${this.#clock}
        @wake-cluster=${(event: CustomEvent<ClusterAnswer>) => void this.#wakes.wakeAll(event.detail)}
      ></cluster-section>`;
    };
    const hasLoose = devicesOf.has(null) || agentsOf.has(null);
    return html`${repeat([...clusters.values()].toSorted(byName), ({ id }) => id, section)}
    ${hasLoose ? section(undefined) : nothing}`;
  }

  #dialogOf(dialog: Dialog | undefined) {
    const close = () => (this.dialog = undefined);
    const { agents, clusters } = this.#live.store;
    switch (dialog?.type) {
      case undefined:
        return nothing;
      case "device":
        return html`<device-form
          .device=${dialog.device}
          .store=${this.#live.store}
          .actor=${this.#actor}
          @closed=${close}
        ></device-form>`;
      case "cluster":
        return html`<cluster-form .store=${this.#live.store} .actor=${this.#actor} @closed=${close}></cluster-form>`;
      case "import":
        return html`<import-devices .clusters=${clusters} @closed=${close}></import-devices>`;
      case "export":
        return html`<export-devices @closed=${close}></export-devices>`;
      case "join":
        return html`<join-agent
          .agents=${[...agents.values()]}
          .clusters=${clusters}
          .clock=${this.#clock}
          @closed=${close}
        ></join-agent>`;
    }
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
          .problem=${this.#wakes.problems.get(row.id)}
          .asking=${this.#wakes.asking.has(row.id)}
          @wake=${this.#wake}
          @wake-anyway=${this.#wakeAnyway}
          @cancel-wake=${this.#cancel}
          @edit=${(event: CustomEvent<DeviceAnswer>) => (this.dialog = { type: "device", device: event.detail })}
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

  async #fetch(type: FetchedDialog): Promise<void> {
    if (await fetched(type)) this.dialog = { type };
  }

  readonly #join = (): void => {
    this.dialog = { type: "join" };
  };

  readonly #wake = (event: Event): void => {
    void this.#wakes.wake((event as CustomEvent<DeviceAnswer>).detail);
  };

  readonly #wakeAnyway = (event: Event): void => {
    void this.#wakes.wake((event as CustomEvent<DeviceAnswer>).detail, { force: true });
  };

  readonly #cancel = (event: Event): void => {
    void this.#wakes.cancel((event as CustomEvent<DeviceAnswer>).detail);
  };
}
