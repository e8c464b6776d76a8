import { LitElement, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { AgentAnswer } from "#contracts/api/agents.ts";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import type { Actor } from "#contracts/rights.ts";
import { changeDevice, createDevice } from "../api/devices.ts";
import { controls } from "../app/controls.ts";
import { toast } from "../app/toast-list.ts";
import { clusterOptions, onlyCluster } from "../clusters/cluster-options.ts";
import { changesOf } from "../form/changes.ts";
import { checkField, selectField, textField } from "../form/fields.ts";
import "../form/filter-list.ts";
import { FormDialog, dialogStyles, foldStyles } from "../form/form-dialog.ts";
import { Meanwhile } from "../form/meanwhile.ts";
import { NOBODY } from "../live/actor.ts";
import { NeedsField, needsStyles } from "../needs/needs-field.ts";
import type { LiveStore } from "../live/live-store.ts";
import { Ownership, ownershipStyles } from "../sharing/ownership.ts";
import { byName } from "../words/by-name.ts";
import { powerFields } from "./device-power-fields.ts";
import { type DeviceFields, NEW_DEVICE, fieldsFrom, fieldsOf, secureOnFrom } from "./device-fields.ts";

const SYSTEMS = [
  { value: "linux", label: "Linux" },
  { value: "windows", label: "Windows" },
  { value: "macos", label: "macOS" },
  { value: "other", label: "Other" },
] as const;

const TEXTS = ["name", "mac", "address", "description", "tags"] as const;

/**
 * Adds a device, or changes the one it is given: only what was changed is sent.
 *
 * @fires closed
 */
@customElement("device-form")
export class DeviceForm extends LitElement {
  static override styles = [controls, ...dialogStyles, foldStyles, ownershipStyles, needsStyles];

  @property({ attribute: false }) device: DeviceAnswer | undefined;
  @property({ attribute: false }) store: LiveStore | undefined;
  @property({ attribute: false }) actor: Actor = NOBODY;
  @state() private clusterId: string | null = null;

  readonly #dialog = new FormDialog(this);
  readonly #meanwhile = new Meanwhile();
  readonly #ownership = new Ownership(this, this.#dialog.state, "device");
  readonly #needs = new NeedsField(this, this.#dialog.state);
  /** The device as it was when the form opened: what a person sees is compared with that. */
  #before: DeviceFields = NEW_DEVICE;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#before = this.device
      ? fieldsOf(this.device)
      : { ...NEW_DEVICE, clusterId: onlyCluster(this.store?.clusters) };
    this.clusterId = this.#before.clusterId;
    this.#ownership.open(this.actor, this.device);
    this.#needs.open(this.device?.dependsOn ?? []);
  }

  override firstUpdated(): void {
    this.#dialog.open();
  }

  override render() {
    const form = this.#dialog.state;
    const before = this.#before;
    const words = this.device
      ? { title: `Edit ${this.device.name}`, submit: "Save", busy: "Saving…" }
      : { title: "Add a device", submit: "Add device", busy: "Adding…" };
    return this.#dialog.render(
      words,
      html`${textField(form, { name: "name", label: "Name", value: before.name, autofocus: true, required: true })}
        <div class="two">
          ${textField(form, {
            name: "mac",
            label: "MAC address",
            value: before.mac,
            placeholder: "e.g. a4:bb:6d:12:34:56",
            hint: "Of the network card that is to be woken.",
            mono: true,
            required: true,
          })}
          ${textField(form, {
            name: "address",
            label: "IP address or host name",
            value: before.address ?? "",
            placeholder: "e.g. 192.168.1.20",
            hint: "If it has a lasting one; it helps to see the machine.",
            mono: true,
          })}
        </div>
        <div class="two">
          <div @change=${this.#clusterChosen}>
            ${selectField(form, {
              name: "clusterId",
              label: "Cluster",
              value: before.clusterId ?? "",
              options: clusterOptions(this.store?.clusters),
              hint: "Its agents wake and watch the device.",
            })}
          </div>
          ${selectField(form, { name: "os", label: "Operating system", value: before.os, options: SYSTEMS })}
        </div>
        ${textField(form, { name: "description", label: "Description", value: before.description ?? "", rows: 2 })}
        ${textField(form, { name: "tags", label: "Tags", value: before.tags.join(", "), hint: "With commas between." })}
        ${this.#waking()} ${this.#watching()} ${this.#poweringOff()} ${this.#ownership.render()}
        <details>
          <summary>More</summary>
          <div class="fields">
            ${checkField(form, {
              name: "enabled",
              label: "Enabled",
              checked: before.enabled,
              hint: "A disabled device takes no part in wakes.",
            })}
            ${checkField(form, {
              name: "showInHomeAssistant",
              label: "Show in Home Assistant",
              checked: before.showInHomeAssistant,
            })}
          </div>
        </details>`,
      (data) => this.#save(data),
    );
  }

  #waking() {
    const form = this.#dialog.state;
    const { wake } = this.#before;
    return html`<details>
      <summary>Waking</summary>
      <div class="fields">
        ${this.#agentChoice()} ${this.#needed()}
        <div class="two">
          ${textField(form, {
            name: "wake.windowSeconds",
            label: "Give up after (seconds)",
            value: wake.windowSeconds?.toString() ?? "",
            placeholder: "120",
          })}
          ${textField(form, { name: "wake.ports", label: "UDP ports", value: wake.ports.join(", "), mono: true })}
        </div>
        ${textField(form, {
          name: "wake.addresses",
          label: "Send to",
          value: wake.addresses.join(", "),
          placeholder: "e.g. 192.168.1.255",
          hint: "Empty: every broadcast address of each agent.",
          mono: true,
        })}
        ${textField(form, {
          name: "secureOn",
          label: "SecureOn password",
          placeholder: this.device?.secureOnSet ? "kept; type to replace it" : "e.g. 01:02:03:04:05:06",
          hint: "Only for network cards that ask for one.",
          mono: true,
        })}
        ${
          this.device?.secureOnSet
            ? checkField(form, { name: "secureOnForget", label: "Forget the SecureOn password", checked: false })
            : nothing
        }
      </div>
    </details>`;
  }

  #watching() {
    const form = this.#dialog.state;
    const { watch } = this.#before;
    return html`<details>
      <summary>Watching</summary>
      <div class="fields">
        ${checkField(form, { name: "watch.icmp", label: "Ping it (ICMP)", checked: watch.icmp })}
        ${checkField(form, { name: "watch.arp", label: "Look for its MAC address (ARP)", checked: watch.arp })}
        <div class="two">
          ${textField(form, {
            name: "watch.tcpPorts",
            label: "TCP ports",
            value: watch.tcpPorts.join(", "),
            placeholder: "e.g. 22, 445",
            hint: "Any that answers shows that it is up.",
            mono: true,
          })}
          ${textField(form, {
            name: "watch.intervalSeconds",
            label: "Look every (seconds)",
            value: String(watch.intervalSeconds),
          })}
        </div>
      </div>
    </details>`;
  }

  #poweringOff() {
    const agents = [...(this.store?.agents.values() ?? [])];
    return html`<details>
      <summary>Powering off</summary>
      <div class="fields">${powerFields(this.#dialog.state, this.#before.power, agents)}</div>
    </details>`;
  }

  #needed() {
    const others = [...(this.store?.devices.values() ?? [])].filter(({ id }) => id !== this.device?.id);
    if (others.length === 0) return nothing;
    return this.#needs.render("Needs", "It is woken after these, and they do not go down while it is on.", others);
  }

  /** A device's agents are in the device's cluster, so the choice follows the cluster that is chosen. */
  #agentChoice() {
    const agents = this.#agentsOf(this.clusterId);
    if (agents.length < 2 && this.#before.agentIds.length === 0) return nothing;
    return html`<fieldset>
      <legend>Agents</legend>
      <p class="quiet small">None chosen: every agent of the cluster wakes and watches it.</p>
      <filter-list what="agents" size=${agents.length}
        ><div class="checks">
          ${repeat(
            agents,
            ({ id }) => id, // a tick belongs to its agent, wherever it stands after a change
            ({ id, name }) =>
              checkField(this.#dialog.state, {
                name: "agentIds",
                value: id,
                label: name,
                checked: this.#before.agentIds.includes(id),
              }),
          )}
        </div></filter-list
      >
    </fieldset>`;
  }

  #agentsOf(clusterId: string | null): AgentAnswer[] {
    return [...(this.store?.agents.values() ?? [])].filter((agent) => agent.clusterId === clusterId).toSorted(byName);
  }

  readonly #clusterChosen = (event: Event): void => {
    this.clusterId = (event.target as HTMLSelectElement).value || null;
  };

  async #save(data: FormData): Promise<void> {
    const next = fieldsFrom(data, this.#before);
    const secureOn = secureOnFrom(data);
    if (!this.device) {
      await createDevice({ ...next, ...secureOn, ...this.#needs.changes(data), ...this.#ownership.changes(data) });
      toast(`${next.name} is added`);
      return;
    }
    this.#meanwhile.check({ before: this.#before, next, now: fieldsOf(this.device), texts: TEXTS });
    const change = {
      ...changesOf(this.#before, next),
      ...secureOn,
      ...this.#needs.changes(data),
      ...this.#ownership.changes(data, this.device.shares),
    };
    if (Object.keys(change).length === 0) return;
    const dropped = await changeDevice(this.device.id, change);
    if (dropped.length > 0)
      toast(`${next.name} moved; ${dropped.length} link to agents of its old cluster went with it`);
  }
}
