import { type LitElement, type ReactiveController, html, nothing } from "lit";
import type { ClusterAnswer } from "#contracts/api/clusters.ts";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import type { PowerPlan } from "#contracts/api/plans.ts";
import type { Actor } from "#contracts/rights.ts";
import "../agents/join-agent.ts";
import { type FetchedPart, fetched } from "../app/fetched.ts";
import type { Subject } from "../api/power.ts";
import "../clusters/cluster-form.ts";
import "../devices/device-form.ts";
import type { LiveStore } from "../live/live-store.ts";
import { needsOf } from "../needs/needs.rules.ts";
import type { PowerRequests, Taken } from "./power-requests.ts";

/** A dialog that stands above the dashboard without an address of its own. */
type Dialog =
  | { readonly type: "device"; readonly device?: DeviceAnswer }
  | { readonly type: "power-off" | "doctor" | "power-method"; readonly device: DeviceAnswer }
  | { readonly type: "plan"; readonly subject: Subject; readonly action: PowerPlan["action"] }
  | { readonly type: "cluster" | "join" | "import" | "export" };

const FETCHED: ReadonlySet<string> = new Set<FetchedPart>([
  "import",
  "export",
  "plan",
  "power-off",
  "doctor",
  "power-method",
]);

/** The dialogs of the dashboard: one at a time, each closed before the next one opens. */
export class DashboardDialogs implements ReactiveController {
  readonly #host: LitElement;
  readonly #store: LiveStore;
  readonly #requests: PowerRequests;
  #dialog: Dialog | undefined;

  constructor(host: LitElement, store: LiveStore, requests: PowerRequests) {
    this.#host = host;
    this.#store = store;
    this.#requests = requests;
    host.addController(this);
  }

  /** What is shown is an element of its own; there is nothing to do. */
  hostConnected(): void {}

  readonly open = async (dialog: Dialog): Promise<void> => {
    if (FETCHED.has(dialog.type) && !(await fetched(dialog.type as FetchedPart))) return;
    this.#show(dialog);
  };

  /** A device that needs others which are not up is woken after a look at what that means. */
  readonly wake = async (device: DeviceAnswer): Promise<void> => {
    const isAlone = needsOf(device, this.#store).every(({ power }) => power === "on");
    if (isAlone) return await this.#requests.wake(device);
    await this.openPlan({ kind: "device", id: device.id, name: device.name }, "wake");
  };

  readonly openPlan = async (subject: Subject, action: PowerPlan["action"]): Promise<void> => {
    await this.open({ type: "plan", subject, action });
  };

  readonly openCluster = ({ id, name }: ClusterAnswer, action: PowerPlan["action"]): void =>
    void this.openPlan({ kind: "cluster", id, name }, action);

  render(actor: Actor, clock: () => number) {
    const close = () => this.#show(undefined);
    const { agents, clusters } = this.#store;
    const dialog = this.#dialog;
    switch (dialog?.type) {
      case undefined:
        return nothing;
      case "device":
        return html`<device-form
          .device=${dialog.device}
          .store=${this.#store}
          .actor=${actor}
          @closed=${close}
        ></device-form>`;
      case "cluster":
        return html`<cluster-form .store=${this.#store} .actor=${actor} @closed=${close}></cluster-form>`;
      case "import":
        return html`<import-devices .clusters=${clusters} @closed=${close}></import-devices>`;
      case "export":
        return html`<export-devices @closed=${close}></export-devices>`;
      case "join":
        return html`<join-agent
          .agents=${[...agents.values()]}
          .clusters=${clusters}
          .clock=${clock}
          @closed=${close}
        ></join-agent>`;
      case "plan":
        return html`<plan-dialog
          .subject=${dialog.subject}
          .action=${dialog.action}
          @taken=${(event: CustomEvent<readonly Taken[]>) =>
            this.#requests.took(dialog.subject.name, dialog.action, event.detail)}
          @closed=${close}
        ></plan-dialog>`;
      case "power-off":
        return html`<power-dialog
          .device=${this.#now(dialog.device)}
          .store=${this.#store}
          @closed=${close}
        ></power-dialog>`;
      case "doctor":
        return html`<doctor-dialog .device=${dialog.device} @closed=${close}></doctor-dialog>`;
      case "power-method":
        return html`<power-method-form .device=${dialog.device} @closed=${close}></power-method-form>`;
    }
  }

  /** As it is by now; somebody may have deleted it meanwhile. */
  #now(device: DeviceAnswer): DeviceAnswer {
    return this.#store.devices.get(device.id) ?? device;
  }

  #show(dialog: Dialog | undefined): void {
    this.#dialog = dialog;
    this.#host.requestUpdate();
  }
}
