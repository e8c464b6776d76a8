import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Difference, ImportItem, ImportPreview } from "#contracts/api/imports.ts";
import { controls } from "../app/controls.ts";
import { FIELD_LABELS, GROUPS, counted } from "./words.ts";

type Group = (typeof GROUPS)[number];

/**
 * What an import would do, device by device, and what of it a person chooses.
 *
 * @fires chosen with the MAC addresses that are chosen now
 */
@customElement("import-preview")
export class ImportPreviewList extends LitElement {
  static override styles = [
    controls,
    css`
      :host {
        display: grid;
        gap: var(--space-4);
      }
      .head {
        display: flex;
        align-items: center;
        gap: var(--space-3);
        padding-bottom: var(--space-1);
      }
      .head + p {
        padding-bottom: var(--space-1);
      }
      h3 {
        flex: 1;
        font-size: 1rem;
      }
      .all {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        font-weight: 450;
      }
      .all input {
        margin: 0;
      }
      li {
        display: grid;
        grid-template-columns: 1.125rem minmax(0, 1fr);
        column-gap: var(--space-3);
        padding: var(--space-2) 0;
        border-top: 1px solid var(--line);
        overflow-wrap: anywhere;
        content-visibility: auto;
        contain-intrinsic-block-size: auto 4rem;
      }
      li > :not(input) {
        grid-column: 2;
      }
      .device {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        gap: 0 var(--space-3);
      }
      .device .small {
        margin-left: auto;
      }
      dl {
        display: grid;
        grid-template-columns: minmax(5rem, max-content) minmax(0, 1fr);
        gap: 0 var(--space-3);
        font-size: var(--size-small);
      }
      dt {
        color: var(--text-quiet);
      }
      dd {
        white-space: pre-line;
      }
      del {
        color: var(--text-quiet);
      }
      ins {
        text-decoration: none;
      }
      .wrong {
        color: var(--danger);
      }
      summary {
        font-weight: 650;
        cursor: pointer;
      }
      .notes li {
        display: block;
        border: 0;
        padding: 0;
      }
    `,
  ];

  @property({ attribute: false }) preview: ImportPreview = { items: [], notes: [] };
  @property({ attribute: false }) chosen: ReadonlySet<string> = new Set();

  override render() {
    const { items, notes } = this.preview;
    const groups = Map.groupBy(items, ({ action }) => action);
    const sentence = sentenceOf(items);
    return html`${sentence ? html`<p role="status">${sentence}</p>` : nothing}
    ${
      notes.length > 0
        ? html`<ul class="notes quiet">
            ${notes.map((note) => html`<li>${note}</li>`)}
          </ul>`
        : nothing
    }
    ${GROUPS.map((group) => this.#group(group, groups.get(group.action) ?? []))}`;
  }

  #group({ action, heading }: Group, items: readonly ImportItem[]) {
    if (items.length === 0) return nothing;
    const list = html`<ul aria-label=${heading}>
      ${repeat(
        items,
        ({ line, mac }) => `${line} ${mac ?? ""}`,
        (item) => this.#row(item),
      )}
    </ul>`;
    const title = `${heading} (${items.length})`;
    if (action === "unchanged")
      return html`<details>
        <summary>${title}</summary>
        ${list}
      </details>`;
    const macs = items.flatMap((item) => (isOffered(item) ? [item.mac] : []));
    return html`<section>
      <div class="head">
        <h3>${title}</h3>
        ${macs.length > 1 ? this.#all(action, heading, macs) : nothing}
      </div>
      ${action === "change" ? html`<p class="quiet small">These exist already. Tick what is to be changed.</p>` : nothing}
      ${list}
    </section>`;
  }

  #all(action: string, heading: string, macs: readonly string[]) {
    const count = macs.filter((mac) => this.chosen.has(mac)).length;
    return html`<label class="all">
      <input
        type="checkbox"
        name=${`all-${action}`}
        aria-label=${`All of “${heading}”`}
        .checked=${count === macs.length}
        .indeterminate=${count > 0 && count < macs.length}
        @change=${(event: Event) => this.#choose(macs, isTicked(event))}
      />
      All
    </label>`;
  }

  #row(item: ImportItem) {
    const { line, mac, name, notes } = item;
    const id = `line-${line}-${mac ?? ""}`;
    return html`<li>
      ${
        isOffered(item)
          ? html`<input
              id=${id}
              type="checkbox"
              .checked=${this.chosen.has(item.mac)}
              @change=${(event: Event) => this.#choose([item.mac], isTicked(event))}
            />`
          : nothing
      }
      <div class="device">
        ${isOffered(item) ? html`<label for=${id}>${name}</label>` : html`<b>${name ?? "—"}</b>`}
        ${mac && mac !== name ? html`<span class="mono quiet">${mac}</span>` : nothing}
        <span class="quiet small">line ${line}</span>
      </div>
      ${item.action === "impossible" ? html`<p class="wrong">${item.problem}</p>` : nothing}
      ${isOffered(item) ? differencesOf(item) : nothing}
      ${besides(item, notes).map((note) => html`<p class="quiet small">${note}</p>`)}
    </li>`;
  }

  #choose(macs: readonly string[], isChosen: boolean): void {
    const chosen = new Set(this.chosen);
    for (const mac of macs)
      if (isChosen) chosen.add(mac);
      else chosen.delete(mac);
    this.dispatchEvent(new CustomEvent("chosen", { detail: chosen }));
  }
}

type Offer = Extract<ImportItem, { action: "create" | "change" }>;

export function isOffered(item: ImportItem): item is Offer {
  return item.action === "create" || item.action === "change";
}

/** Where there is nothing to choose and nothing wrong. */
function sentenceOf(items: readonly ImportItem[]): string | undefined {
  if (items.length === 0) return "No device was found in it. Is it of this format?";
  return items.every(({ action }) => action === "unchanged")
    ? "All of it is here already; there is nothing to import."
    : undefined;
}

/** What is kept as the description is shown as that. */
function besides(item: ImportItem, notes: readonly string[]): readonly string[] {
  const kept = isOffered(item) ? item.differences.find(({ field }) => field === "description")?.to : undefined;
  return notes.filter((note) => !kept?.includes(note));
}

/** A new device is named above already. */
function differencesOf({ action, differences }: Offer) {
  const told = differences.filter(({ field }) => action === "change" || (field !== "name" && field !== "mac"));
  if (told.length === 0) return nothing;
  return html`<dl>
    ${told.map(
      (each) =>
        html`<dt>${FIELD_LABELS[each.field]}</dt>
          <dd>${wordsOf(each, action)}</dd>`,
    )}
  </dl>`;
}

function wordsOf({ from, to }: Difference, action: Offer["action"]) {
  if (action === "create") return to;
  const [was, becomes] = [from ?? "empty", to ?? "empty"];
  const before = html`<del><span class="visually-hidden">was </span>${was}</del>`;
  const after = html`<ins><span class="visually-hidden">becomes </span>${becomes}</ins>`;
  return html`${before} → ${after}`; // line breaks are shown as they are
}

function isTicked(event: Event): boolean {
  return (event.target as HTMLInputElement).checked; // our own box
}

export function summaryOf(chosen: number): string {
  return chosen === 0 ? "Import nothing" : `Import ${counted(chosen)}`;
}
