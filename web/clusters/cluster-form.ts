import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { AgentAnswer } from "#contracts/api/agents.ts";
import type { ClusterAnswer } from "#contracts/api/clusters.ts";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import { type Actor, mayChange, reachFor } from "#contracts/rights.ts";
import { changeCluster, createCluster, deleteCluster } from "../api/clusters.ts";
import { controls } from "../app/controls.ts";
import { toast } from "../app/toast-list.ts";
import { DeleteButton } from "../form/delete-button.ts";
import { changesOf } from "../form/changes.ts";
import { checkField, textField } from "../form/fields.ts";
import "../form/filter-list.ts";
import { FormDialog, dialogStyles, foldStyles } from "../form/form-dialog.ts";
import { Meanwhile } from "../form/meanwhile.ts";
import { checkedOf, isChecked, numberOrNull, tagsOf, textOf, textOrNull } from "../form/values.ts";
import { NOBODY } from "../live/actor.ts";
import { NeedsField, needsStyles } from "../needs/needs-field.ts";
import type { LiveStore } from "../live/live-store.ts";
import { Ownership, ownershipStyles } from "../sharing/ownership.ts";
import { byName } from "../words/by-name.ts";

interface Fields {
  readonly name: string;
  readonly description: string | null;
  readonly tags: string[];
  readonly deviceIds: string[];
  readonly agentIds: string[];
  readonly showInHomeAssistant: boolean;
  readonly pace: ClusterAnswer["pace"];
}

const NEW: Fields = {
  name: "",
  description: null,
  tags: [],
  deviceIds: [],
  agentIds: [],
  showInHomeAssistant: true,
  pace: { staggerMs: 0, atOnce: null },
};

const TEXTS = ["name", "description", "tags"] as const;

/**
 * Adds a cluster, or changes the one it is given: only what was changed is sent.
 *
 * @fires closed
 */
@customElement("cluster-form")
export class ClusterForm extends LitElement {
  static override styles = [
    controls,
    ...dialogStyles,
    foldStyles,
    ownershipStyles,
    needsStyles,
    css`
      .members {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(14rem, 100%), 1fr));
        gap: var(--space-2) var(--space-4);
      }
    `,
  ];

  @property({ attribute: false }) cluster: ClusterAnswer | undefined;
  @property({ attribute: false }) store: LiveStore | undefined;
  @property({ attribute: false }) actor: Actor = NOBODY;

  readonly #dialog = new FormDialog(this);
  readonly #meanwhile = new Meanwhile();
  readonly #ownership = new Ownership(this, this.#dialog.state, "cluster");
  readonly #delete = new DeleteButton(this, this.#dialog);
  readonly #needs = new NeedsField(this, this.#dialog.state);
  #before: Fields = NEW;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#before = this.cluster ? fieldsOf(this.cluster) : NEW;
    this.#ownership.open(this.actor, this.cluster);
    this.#needs.open(this.cluster?.dependsOn ?? []);
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
    const form = this.#dialog.state;
    const { cluster } = this;
    const before = this.#before;
    const words = cluster
      ? { title: `Edit ${cluster.name}`, submit: "Save", busy: "Saving…" }
      : { title: "Add a cluster", submit: "Add cluster", busy: "Adding…" };
    return this.#dialog.render(
      words,
      html`${textField(form, {
        name: "name",
        label: "Name",
        value: before.name,
        hint: cluster ? undefined : "A room, a building, a LAN: devices and the agents that reach them.",
        autofocus: true,
        required: true,
      })}
      ${this.#members("deviceIds", "Devices", this.#movableDevices())}
      ${this.#members("agentIds", "Agents", this.#movableAgents())}
      ${textField(form, { name: "description", label: "Description", value: before.description ?? "", rows: 2 })}
      ${textField(form, { name: "tags", label: "Tags", value: before.tags.join(", "), hint: "With commas between." })}
      ${checkField(form, {
        name: "showInHomeAssistant",
        label: "Show in Home Assistant",
        checked: before.showInHomeAssistant,
      })}
      ${this.#order()} ${this.#ownership.render()}`,
      (data) => this.#save(data),
      cluster && { button: this.#deleteButton(cluster), isAsking: this.#delete.isAsking },
    );
  }

  #deleteButton({ id, name }: ClusterAnswer) {
    return this.#delete.render({
      name,
      label: "Delete cluster",
      question: `Delete ${name}? Its devices and agents stay, in no cluster.`,
      work: () => deleteCluster(id),
    });
  }

  #order() {
    const form = this.#dialog.state;
    const { staggerMs, atOnce } = this.#before.pace;
    const outside = [...(this.store?.devices.values() ?? [])].filter(({ id }) => !this.#before.deviceIds.includes(id));
    return html`<details>
      <summary>Order and pace</summary>
      <div class="fields">
        <div class="two">
          ${textField(form, {
            name: "pace.staggerMs",
            label: "Seconds between two devices",
            value: String(staggerMs / 1_000),
            hint: "0: all at once.",
          })}
          ${textField(form, {
            name: "pace.atOnce",
            label: "At a time at most",
            value: atOnce?.toString() ?? "",
            placeholder: "all",
          })}
        </div>
        ${
          outside.length > 0
            ? this.#needs.render("Needs", "These have to be up before any device of the cluster is woken.", outside)
            : nothing
        }
      </div>
    </details>`;
  }

  #members(
    name: "deviceIds" | "agentIds",
    legend: string,
    rows: readonly { id: string; name: string; clusterId: string | null }[],
  ) {
    if (rows.length === 0) return nothing;
    return html`<fieldset>
      <legend>${legend}</legend>
      <filter-list what=${legend.toLowerCase()} size=${rows.length}>
        <div class="members">
          ${repeat(
            rows.toSorted(byName),
            ({ id }) => id, // a tick belongs to its row, wherever it stands after a change
            ({ id, name: label, clusterId }) =>
              checkField(this.#dialog.state, {
                name,
                value: id,
                label,
                checked: this.#before[name].includes(id),
                hint: this.#elsewhere(clusterId),
              }),
          )}
        </div>
      </filter-list>
    </fieldset>`;
  }

  #movableDevices(): DeviceAnswer[] {
    const devices = [...(this.store?.devices.values() ?? [])];
    return devices.filter((device) => mayChange(this.actor, "device:change", device));
  }

  #movableAgents(): AgentAnswer[] {
    return reachFor(this.actor, "agent:manage") ? [...(this.store?.agents.values() ?? [])] : [];
  }

  /** A device or an agent is in one cluster at most, so choosing it here takes it from there. */
  #elsewhere(clusterId: string | null): string | undefined {
    if (clusterId === null || clusterId === this.cluster?.id) return undefined;
    const name = this.store?.clusters.get(clusterId)?.name;
    return name && `now in ${name}`;
  }

  async #save(data: FormData): Promise<void> {
    const next = this.#fieldsFrom(data);
    if (!this.cluster) {
      await createCluster({ ...next, ...this.#needs.changes(data), ...this.#ownership.changes(data) });
      toast(`${next.name} is added`);
      return;
    }
    this.#meanwhile.check({ before: this.#before, next, now: fieldsOf(this.cluster), texts: TEXTS });
    const change = {
      ...changesOf(this.#before, next),
      ...this.#needs.changes(data),
      ...this.#ownership.changes(data, this.cluster.shares),
    };
    if (Object.keys(change).length === 0) return;
    // the hub takes members whole; who came or went meanwhile, by others, is not undone
    if (change.deviceIds) change.deviceIds = merged(this.#before.deviceIds, change.deviceIds, this.cluster.deviceIds);
    if (change.agentIds) change.agentIds = merged(this.#before.agentIds, change.agentIds, this.cluster.agentIds);
    const dropped = await changeCluster(this.cluster.id, change);
    if (dropped.length > 0) toast(`${dropped.length} links between devices and agents no longer fit and are gone`);
  }

  #fieldsFrom(data: FormData): Fields {
    return {
      name: textOf(data, "name"),
      description: textOrNull(data, "description"),
      tags: tagsOf(data, "tags"),
      deviceIds: this.#chosen(data, "deviceIds", this.#movableDevices()),
      agentIds: this.#chosen(data, "agentIds", this.#movableAgents()),
      showInHomeAssistant: isChecked(data, "showInHomeAssistant"),
      pace: {
        staggerMs: milliseconds(numberOrNull(data, "pace.staggerMs") ?? 0),
        atOnce: numberOrNull(data, "pace.atOnce"),
      },
    };
  }

  /** Those that were ticked, and those of before that were not shown, because they are not this account's to move. */
  #chosen(data: FormData, name: "deviceIds" | "agentIds", shown: readonly { id: string }[]): string[] {
    const hidden = this.#before[name].filter((id) => !shown.some((row) => row.id === id));
    return [...checkedOf(data, name), ...hidden].toSorted();
  }
}

/** The members as they are now, with what a person added to those of before, and without what they took away. */
function merged(before: readonly string[], next: readonly string[], now: readonly string[]): string[] {
  const members = new Set([...now, ...next.filter((id) => !before.includes(id))]);
  for (const id of before) if (!next.includes(id)) members.delete(id);
  return [...members];
}

/** What is no number goes to the hub as it was typed, and comes back with a message at its field. */
function milliseconds(seconds: number): number {
  return typeof seconds === "number" ? Math.round(seconds * 1_000) : seconds;
}

function fieldsOf(cluster: ClusterAnswer): Fields {
  const { name, description, tags, deviceIds, agentIds, showInHomeAssistant, pace } = cluster;
  return {
    name,
    description,
    tags,
    deviceIds: deviceIds.toSorted(),
    agentIds: agentIds.toSorted(),
    showInHomeAssistant,
    pace,
  };
}
