import { LitElement, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { ClusterAnswer } from "#contracts/api/clusters.ts";
import type { MqttClientAnswer } from "#contracts/api/mqtt-clients.ts";
import type { MqttPermission } from "#contracts/principal.ts";
import { CallError } from "../api/call.ts";
import { changeMqttClient, createMqttClient, revokeMqttClient } from "../api/mqtt-clients.ts";
import { controls } from "../app/controls.ts";
import { changesOf } from "../form/changes.ts";
import { DeleteButton } from "../form/delete-button.ts";
import { checksField, selectField, textField } from "../form/fields.ts";
import { FormDialog, dialogStyles } from "../form/form-dialog.ts";
import { checkedOf, textOf } from "../form/values.ts";
import { byName } from "../words/by-name.ts";
import { MQTT_PERMISSION_WORDS } from "../words/mqtt.ts";

interface Fields {
  readonly name: string;
  readonly permissions: MqttPermission[];
  /** null = all, also those to come. */
  readonly clusterIds: string[] | null;
}

const NEW: Fields = { name: "", permissions: ["discovery", "read", "wake"], clusterIds: null };

const REVOKE = { act: "Revoke", busy: "Revoking…", done: "revoked" };

const PERMISSIONS = Object.entries(MQTT_PERMISSION_WORDS).map(([value, words]) => ({ value, ...words }));

/**
 * Makes an MQTT credential, or changes what the one it is given may do.
 *
 * @fires created with the credential and its password, before `closed`
 * @fires closed
 */
@customElement("mqtt-clients-form")
export class MqttClientsForm extends LitElement {
  static override styles = [controls, ...dialogStyles];

  @property({ attribute: false }) client: MqttClientAnswer | undefined;
  @property({ attribute: false }) clusters: ReadonlyMap<string, ClusterAnswer> = new Map();
  @state() private isOfSome = false;

  readonly #dialog = new FormDialog(this);
  readonly #delete = new DeleteButton(this, this.#dialog);
  #before: Fields = NEW;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#before = this.client ? fieldsOf(this.client) : NEW;
    this.isOfSome = this.#before.clusterIds !== null;
  }

  override firstUpdated(): void {
    this.#dialog.open();
  }

  override render() {
    const form = this.#dialog.state;
    const { client } = this;
    const { name, permissions } = this.#before;
    const words = client
      ? { title: `Edit ${client.name}`, submit: "Save", busy: "Saving…" }
      : { title: "Add an MQTT credential", submit: "Add credential", busy: "Adding…" };
    return this.#dialog.render(
      words,
      html`${textField(form, {
        name: "name",
        label: "Name",
        value: name,
        placeholder: "e.g. Home Assistant",
        hint: client ? `Its user name stays ${client.username}.` : "Its user name is made from it.",
        autofocus: true,
        required: true,
      })}
      ${checksField(form, { name: "permissions", label: "It may", options: PERMISSIONS, checked: permissions })}
      ${this.#clusterChoice()}`,
      (data) => this.#save(data),
      client && { button: this.#revokeButton(client), isAsking: this.#delete.isAsking },
    );
  }

  #clusterChoice() {
    if (this.clusters.size === 0) return nothing;
    const form = this.#dialog.state;
    const sorted = [...this.clusters.values()].toSorted(byName);
    return html`<div @change=${this.#ofWhichChosen}>
        ${selectField(form, {
          name: "ofWhich",
          label: "Clusters",
          value: this.#before.clusterIds === null ? "" : "some",
          options: [
            { value: "", label: "All, and those to come" },
            { value: "some", label: "Only some" },
          ],
        })}
      </div>
      ${
        this.isOfSome
          ? checksField(form, {
              name: "clusterIds",
              label: "Which",
              what: "clusters",
              options: sorted.map(({ id, name }) => ({ value: id, label: name })),
              checked: this.#before.clusterIds ?? [],
            })
          : nothing
      }`;
  }

  readonly #ofWhichChosen = (event: Event): void => {
    this.isOfSome = (event.target as HTMLSelectElement).value === "some";
  };

  #revokeButton({ id, name, connections }: MqttClientAnswer) {
    const ends = connections > 0 ? "Its open connections end at once, and nothing" : "Nothing";
    return this.#delete.render({
      name,
      label: "Revoke",
      question: `Revoke ${name}? ${ends} connects with it again.`,
      work: () => revokeMqttClient(id),
      words: REVOKE,
    });
  }

  async #save(data: FormData): Promise<void> {
    const next: Fields = {
      name: textOf(data, "name"),
      permissions: checkedOf(data, "permissions") as MqttPermission[], // the values of our own checkboxes
      clusterIds: this.isOfSome ? checkedOf(data, "clusterIds") : null,
    };
    checkChoices(next);
    if (!this.client) {
      const created = await createMqttClient(next);
      this.dispatchEvent(new CustomEvent("created", { detail: created }));
      return;
    }
    const change = changesOf(this.#before, next);
    if (Object.keys(change).length > 0) await changeMqttClient(this.client.id, change);
  }
}

/** A credential for nothing is a mistake. */
function checkChoices({ permissions, clusterIds }: Fields): void {
  const fields = [
    ...(permissions.length === 0 ? [{ path: "permissions", message: "Choose at least one" }] : []),
    ...(clusterIds?.length === 0 ? [{ path: "clusterIds", message: "Choose at least one" }] : []),
  ];
  if (fields.length > 0) throw new CallError("INVALID_INPUT", "Something is not chosen yet", fields);
}

function fieldsOf({ name, permissions, clusterIds }: MqttClientAnswer): Fields {
  return { name, permissions: permissions.toSorted(), clusterIds: clusterIds?.toSorted() ?? null };
}
