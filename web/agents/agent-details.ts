import { LitElement, html } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { AgentAnswer } from "#contracts/api/agents.ts";
import { changeAgent, deleteAgent } from "../api/agents.ts";
import { controls } from "../app/controls.ts";
import { type Fact, factList, factStyles } from "../app/facts.ts";
import { toast } from "../app/toast-list.ts";
import { clusterOptions } from "../clusters/cluster-options.ts";
import { changesOf } from "../form/changes.ts";
import { DeleteButton } from "../form/delete-button.ts";
import { checkField, selectField, textField } from "../form/fields.ts";
import { FormDialog, dialogStyles } from "../form/form-dialog.ts";
import { isChecked, textOf, textOrNull } from "../form/values.ts";
import type { LiveStore } from "../live/live-store.ts";
import { ago, when } from "../words/instants.ts";

interface Fields {
  readonly name: string;
  readonly clusterId: string | null;
  readonly showInHomeAssistant: boolean;
}

/**
 * An agent: what it runs on and how it is, and what may be changed.
 *
 * @fires closed
 */
@customElement("agent-details")
export class AgentDetails extends LitElement {
  static override styles = [controls, ...dialogStyles, factStyles];

  @property({ attribute: false }) agent: AgentAnswer | undefined;
  @property({ attribute: false }) store: LiveStore | undefined;
  /** Without it, only what is known of it is shown. */
  @property({ type: Boolean }) mayChange = false;

  readonly #dialog = new FormDialog(this);
  readonly #delete = new DeleteButton(this, this.#dialog);
  #before: Fields = { name: "", clusterId: null, showInHomeAssistant: true };

  override connectedCallback(): void {
    super.connectedCallback();
    if (!this.agent) return;
    const { name, clusterId, showInHomeAssistant } = this.agent;
    this.#before = { name, clusterId, showInHomeAssistant };
  }

  override firstUpdated(): void {
    this.#dialog.open();
  }

  /** @returns whether it may go now; if not, it asks. */
  mayLeave(): boolean {
    if (!this.#dialog.isHeld) return true;
    this.#dialog.leave();
    return false;
  }

  override render() {
    const { agent } = this;
    if (!agent) return undefined;
    if (!this.mayChange) return this.#dialog.renderFacts(agent.name, factList(this.#facts(agent)));
    const form = this.#dialog.state;
    return this.#dialog.render(
      { title: agent.name, submit: "Save", busy: "Saving…" },
      html`${factList(this.#facts(agent))}
      ${textField(form, { name: "name", label: "Name", value: this.#before.name, required: true })}
      ${selectField(form, {
        name: "clusterId",
        label: "Cluster",
        value: this.#before.clusterId ?? "",
        options: clusterOptions(this.store?.clusters),
        hint: "It serves the devices of this cluster.",
      })}
      ${checkField(form, {
        name: "showInHomeAssistant",
        label: "Show in Home Assistant",
        checked: this.#before.showInHomeAssistant,
      })}`,
      (data) => this.#save(agent, data),
      { button: this.#deleteButton(agent), isAsking: this.#delete.isAsking },
    );
  }

  #deleteButton({ id, name }: AgentAnswer) {
    return this.#delete.render({
      name,
      label: "Delete agent",
      question: `Delete ${name}? Its credential ends at once; to come back it has to join anew.`,
      work: () => deleteAgent(id),
    });
  }

  #facts({ status, statusSince, lastSeenAt, hostname, os, arch, version, heartbeat, interfaces }: AgentAnswer): Fact[] {
    const nowMs = this.store?.nowMs() ?? Date.now();
    const addresses = interfaces.flatMap((each) => each.addresses.map((address) => `${address} (${each.name})`));
    return [
      ["Presence", statusSince ? `${status} since ${when(statusSince, nowMs)}` : status],
      ["Last heard", lastSeenAt ? ago(lastSeenAt, nowMs) : "never"],
      ["Machine", `${hostname} · ${os} ${arch}`],
      ["Version", version],
      ["Addresses", addresses.join(", ")],
      ["Load", heartbeat?.load1?.toFixed(2)],
      ["Memory", rounded(heartbeat?.memoryUsedPercent, "% used")],
      ["Disk", rounded(heartbeat?.diskUsedPercent, "% used")],
      ["Temperature", rounded(heartbeat?.temperatureC, "°C")],
    ];
  }

  async #save(agent: AgentAnswer, data: FormData): Promise<void> {
    const next: Fields = {
      name: textOf(data, "name"),
      clusterId: textOrNull(data, "clusterId"),
      showInHomeAssistant: isChecked(data, "showInHomeAssistant"),
    };
    const change = changesOf(this.#before, next);
    if (Object.keys(change).length === 0) return;
    const dropped = await changeAgent(agent.id, change);
    if (dropped.length > 0)
      toast(`${next.name} moved; its links to ${dropped.length} devices of its old cluster are gone`);
  }
}

function rounded(value: number | null | undefined, unit: string): string | undefined {
  return value === null || value === undefined ? undefined : `${value.toFixed(0)} ${unit}`;
}
