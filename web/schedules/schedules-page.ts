import { mdiPlus } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { ScheduleAnswer } from "#contracts/api/schedules.ts";
import { mayChange } from "#contracts/rights.ts";
import { Session } from "../account/session.ts";
import { schedules } from "../api/schedules.ts";
import { controls } from "../app/controls.ts";
import { icon, iconStyles } from "../app/icon.ts";
import { fetched } from "../app/fetched.ts";
import "../dashboard/hub-banner.ts";
import "../dashboard/top-bar.ts";
import { actorOf } from "../live/actor.ts";
import { Live } from "../live/live.ts";
import { Reading } from "../live/reading.ts";
import { byName } from "../words/by-name.ts";
import "./schedule-card.ts";
import type { Place } from "./schedule-when.ts";

/** Nobody's id: the form of a new one. */
const NEW = "new";

/** Every schedule, with its switch. */
@customElement("schedules-page")
export class SchedulesPage extends LitElement {
  static override styles = [
    controls,
    iconStyles,
    css`
      main {
        display: grid;
        gap: var(--space-4);
        max-width: 52rem;
        margin: 0 auto;
        padding: var(--space-5) var(--space-4) var(--space-7);
      }
      header {
        display: flex;
        align-items: center;
        gap: var(--space-3);
      }
      h1 {
        flex: 1;
        font-size: var(--size-title);
        line-height: 1.3;
      }
      ul {
        display: grid;
        gap: var(--space-3);
      }
      .empty {
        display: grid;
        justify-items: start;
        gap: var(--space-3);
        padding: var(--space-5);
        border: 1px dashed var(--line);
        border-radius: var(--radius);
      }
    `,
  ];

  /** The id of the schedule whose form is open. */
  @state() private edited: string | undefined;

  readonly #session = new Session(this);
  readonly #live = new Live(this);
  readonly #schedules = new Reading(this, schedules);
  readonly #clock = (): number => this.#live.store.nowMs();

  override connectedCallback(): void {
    super.connectedCallback();
    this.#live.store.addEventListener("schedules", this.#read);
  }

  override disconnectedCallback(): void {
    this.#live.store.removeEventListener("schedules", this.#read);
    super.disconnectedCallback();
  }

  override render() {
    const { connection, heardAt } = this.#live.store;
    return html`<top-bar></top-bar>
      <main>
        <hub-banner .connection=${connection} .heardAt=${heardAt}></hub-banner>
        <header>
          <h1>Schedules</h1>
          ${this.#mayAdd ? html`<button class="primary" @click=${this.#add}>${icon(mdiPlus)} Add</button>` : nothing}
        </header>
        ${this.#schedules.render((rows) => this.#list(rows))}
      </main>
      ${this.#form()}`;
  }

  get #mayAdd(): boolean {
    return this.#session.store.may("schedule:create");
  }

  #list(rows: readonly ScheduleAnswer[]) {
    if (rows.length === 0)
      return html`<div class="empty">
        <p>A schedule wakes devices, or powers them off, at a time of the day, by the sun, or once.</p>
        ${this.#mayAdd ? nothing : html`<p class="quiet">There is none yet.</p>`}
      </div>`;
    const actor = actorOf(this.#session.store.me);
    return html`<ul>
      ${repeat(
        rows.toSorted(byName),
        ({ id }) => id,
        (schedule) =>
          html`<li>
            <schedule-card
              .schedule=${schedule}
              .targets=${this.#targetsOf(schedule)}
              .mayChange=${mayChange(actor, "schedule:change", { ownerId: schedule.ownerId, shares: [] })}
              .clock=${this.#clock}
              @edit=${() => void this.#open(schedule.id)}
              @changed=${this.#read}
            ></schedule-card>
          </li>`,
      )}
    </ul>`;
  }

  #form() {
    if (this.edited === undefined) return nothing;
    return html`<schedule-form
      .schedule=${this.#schedules.value?.find(({ id }) => id === this.edited)}
      .store=${this.#live.store}
      .actor=${actorOf(this.#session.store.me)}
      .place=${this.#place}
      @closed=${this.#closed}
    ></schedule-form>`;
  }

  #targetsOf({ clusterIds, deviceIds }: ScheduleAnswer): string[] {
    const { clusters, devices } = this.#live.store;
    return [
      ...clusterIds.flatMap((id) => clusters.get(id) ?? []).map(({ name }) => `all of ${name}`),
      ...deviceIds.flatMap((id) => devices.get(id)?.name ?? []),
    ];
  }

  /** The sun rises for all of a house at once. */
  get #place(): Place {
    const sun = this.#schedules.value?.map(({ when }) => when).find((when) => when.type === "sun");
    return { latitude: String(sun?.place.latitude ?? ""), longitude: String(sun?.place.longitude ?? "") };
  }

  readonly #add = (): void => void this.#open(NEW);
  readonly #read = (): void => void this.#schedules.again();

  async #open(edited: string): Promise<void> {
    if (await fetched("schedule")) this.edited = edited;
  }

  readonly #closed = (): void => {
    this.edited = undefined;
    this.#read();
  };
}
