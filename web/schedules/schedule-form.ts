import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { ScheduleAnswer } from "#contracts/api/schedules.ts";
import { type Actor, mayPower, mayWake } from "#contracts/rights.ts";
import { changeSchedule, createSchedule, deleteSchedule } from "../api/schedules.ts";
import { controls } from "../app/controls.ts";
import { toast } from "../app/toast-list.ts";
import { changesOf } from "../form/changes.ts";
import { DeleteButton } from "../form/delete-button.ts";
import { checkField, checksField, selectField, textField } from "../form/fields.ts";
import { FormDialog, dialogStyles, foldStyles } from "../form/form-dialog.ts";
import { Meanwhile } from "../form/meanwhile.ts";
import { NOBODY } from "../live/actor.ts";
import type { LiveStore } from "../live/live-store.ts";
import { byName } from "../words/by-name.ts";
import { SCHEDULE_ACTIONS, ownTimeZone } from "../words/schedules.ts";
import "./firing-preview.ts";
import {
  type ScheduleFields,
  type ScheduleInput,
  type WhenKind,
  fieldsFrom,
  fieldsOf,
  kindOf,
  newFields,
  whenFrom,
} from "./schedule-fields.ts";
import { KINDS, type Place, whenView } from "./schedule-when.ts";
import { weekdayStyles } from "./weekday-styles.ts";

const TEXTS = ["name", "description"] as const;

/**
 * Adds a schedule, or changes the one it is given, and says while it is typed when it would fire.
 *
 * @fires closed
 */
@customElement("schedule-form")
export class ScheduleForm extends LitElement {
  static override styles = [
    controls,
    ...dialogStyles,
    foldStyles,
    weekdayStyles,
    css`
      .checks {
        grid-template-columns: repeat(auto-fill, minmax(min(13rem, 100%), 1fr));
      }
    `,
  ];

  @property({ attribute: false }) schedule: ScheduleAnswer | undefined;
  @property({ attribute: false }) store: LiveStore | undefined;
  @property({ attribute: false }) actor: Actor = NOBODY;
  /** Where another schedule asked for the sun: it rises there for this one, too. */
  @property({ attribute: false }) place: Place = { latitude: "", longitude: "" };
  @state() private kind: WhenKind = "weekly";
  @state() private action: ScheduleFields["action"] = "wake";
  /** As it stands in the form. */
  @state() private when: ScheduleFields["when"] | undefined;
  @state() private jitterSeconds = 0;

  readonly #dialog = new FormDialog(this);
  readonly #delete = new DeleteButton(this, this.#dialog);
  readonly #meanwhile = new Meanwhile();
  #before = newFields(ownTimeZone());

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.schedule) this.#before = fieldsOf(this.schedule);
    const { when, action, jitterSeconds } = this.#before;
    this.kind = kindOf(when);
    [this.when, this.action] = [when, action];
    this.jitterSeconds = jitterSeconds ?? 0;
  }

  override firstUpdated(): void {
    this.#dialog.open();
  }

  override render() {
    const { schedule } = this;
    const words = schedule
      ? { title: `Edit ${schedule.name}`, submit: "Save", busy: "Saving…" }
      : { title: "Add a schedule", submit: "Add schedule", busy: "Adding…" };
    return this.#dialog.render(
      words,
      html`<div class="fields" @input=${this.#typed} @change=${this.#typed}>
        ${this.#what()} ${this.#when()}
        <firing-preview .when=${this.when} .jitterSeconds=${this.jitterSeconds}></firing-preview>
        ${this.#more()}
      </div>`,
      (data) => this.#save(data),
      schedule && { button: this.#deleteButton(schedule), isAsking: this.#delete.isAsking },
    );
  }

  #what() {
    const form = this.#dialog.state;
    const { name, action, clusterIds, deviceIds } = this.#before;
    const { clusters, devices } = this.#targets();
    const options = (rows: readonly { id: string; name: string }[]) =>
      rows.map((row) => ({ value: row.id, label: row.name }));
    return html`${textField(form, {
      name: "name",
      label: "Name",
      value: name,
      placeholder: "e.g. Working hours",
      autofocus: true,
      required: true,
    })}
    ${selectField(form, { name: "action", label: "Do what", value: action, options: SCHEDULE_ACTIONS })}
    ${
      clusters.length > 0
        ? checksField(form, { name: "clusterIds", label: "Clusters", options: options(clusters), checked: clusterIds })
        : nothing
    }
    ${checksField(form, { name: "deviceIds", label: "Devices", options: options(devices), checked: deviceIds })}
    ${devices.length === 0 ? html`<p class="quiet">There is no device that your account may do this with.</p>` : nothing}`;
  }

  #when() {
    const form = this.#dialog.state;
    const { when } = this.#before;
    const zone = "timeZone" in when ? when.timeZone : ownTimeZone();
    const place =
      when.type === "sun"
        ? { latitude: String(when.place.latitude), longitude: String(when.place.longitude) }
        : this.place;
    return html`${selectField(form, { name: "kind", label: "When", value: this.kind, options: KINDS })}
    ${whenView(form, this.kind, when, zone, place)}`;
  }

  #more() {
    const form = this.#dialog.state;
    const { description, enabled, jitterSeconds, catchUpMinutes, force, showInHomeAssistant } = this.#before;
    return html`<details>
      <summary>More</summary>
      <div class="fields">
        <div class="two">
          ${textField(form, {
            name: "jitterSeconds",
            label: "Up to so many seconds later",
            value: String(jitterSeconds),
            hint: "By chance, so that not all start at once.",
          })}
          ${textField(form, {
            name: "catchUpMinutes",
            label: "Make up for it within (minutes)",
            value: String(catchUpMinutes),
            hint: "Where the hub was not running when it was due. 0: never.",
          })}
        </div>
        ${
          this.action === "wake"
            ? nothing
            : checkField(form, {
                name: "force",
                label: "In spite of what speaks against it",
                checked: force,
                hint: "Running jobs, people who hold it on, devices that need it, or that nobody could wake it again.",
              })
        }
        ${textField(form, { name: "description", label: "Description", value: description ?? "", rows: 2 })}
        ${checkField(form, { name: "enabled", label: "Enabled", checked: enabled })}
        ${checkField(form, {
          name: "showInHomeAssistant",
          label: "Show in Home Assistant",
          checked: showInHomeAssistant,
        })}
      </div>
    </details>`;
  }

  #deleteButton({ id, name }: ScheduleAnswer) {
    return this.#delete.render({
      name,
      label: "Delete schedule",
      question: `Delete ${name} with its history?`,
      work: () => deleteSchedule(id),
    });
  }

  /** What the account may do this with. A cluster reaches those of its devices that are the account's. */
  #targets() {
    const { devices, clusters } = this.store ?? {};
    const may = this.action === "wake" ? mayWake : mayPower;
    const mine = [...(devices?.values() ?? [])].filter((device) =>
      may(this.actor, device, clusters?.get(device.clusterId ?? "")),
    );
    const reached = new Set(mine.map(({ clusterId }) => clusterId));
    return {
      devices: mine.toSorted(byName),
      clusters: [...(clusters?.values() ?? [])].filter(({ id }) => reached.has(id)).toSorted(byName),
    };
  }

  /** What is shown follows what is chosen. */
  readonly #typed = (event: Event): void => {
    const form = (event.currentTarget as HTMLElement).closest("form");
    if (!form) return;
    const data = new FormData(form);
    this.kind = data.get("kind") as WhenKind; // our own options
    this.action = data.get("action") as ScheduleFields["action"];
    void this.#preview(form);
  };

  /** The fields of another kind come first. */
  async #preview(form: HTMLFormElement): Promise<void> {
    await this.updateComplete;
    const data = new FormData(form);
    this.when = whenFrom(data);
    this.jitterSeconds = Math.max(0, Number(data.get("jitterSeconds")) || 0);
  }

  async #save(data: FormData): Promise<void> {
    const { devices, clusters } = this.#targets();
    const shown = { deviceIds: devices.map(({ id }) => id), clusterIds: clusters.map(({ id }) => id) };
    const next = fieldsFrom(data, shown, this.#before);
    if (!this.schedule) {
      await createSchedule(next);
      toast(`${next.name} is added`);
      return;
    }
    this.#meanwhile.check({ before: this.#before, next, now: fieldsOf(this.schedule), texts: TEXTS });
    const { when, ...change } = changesOf(this.#before, next);
    const whole: Partial<ScheduleInput> = { ...change, ...(when && { when: next.when }) }; // it means something as a whole only
    if (Object.keys(whole).length > 0) await changeSchedule(this.schedule.id, whole);
  }
}
