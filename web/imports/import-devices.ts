import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { ClusterAnswer } from "#contracts/api/clusters.ts";
import type { ImportFormat, ImportPreview, ImportResult } from "#contracts/api/imports.ts";
import { type ImportSource, applyImport, previewImport } from "../api/imports.ts";
import { CallError } from "../api/call.ts";
import { controls } from "../app/controls.ts";
import { clusterOptions, onlyCluster } from "../clusters/cluster-options.ts";
import { selectField, textField } from "../form/fields.ts";
import { FormDialog, dialogStyles } from "../form/form-dialog.ts";
import { textOrNull, typed } from "../form/values.ts";
import { guessFormat } from "./guess-format.ts";
import { isOffered, summaryOf } from "./import-preview.ts";
import "./import-preview.ts";
import { resultOf, resultStyles } from "./import-result.ts";
import { IMPORT_FORMATS, counted } from "./words.ts";

/** MAX_IMPORT_BYTES of the contract, which the page does not load. */
const MAX_BYTES = 512 * 1024;
const TITLE = "Import devices";

/**
 * Takes over devices from a file or a text of another program: first a preview, then what a person chose of it.
 *
 * @fires closed
 */
@customElement("import-devices")
export class ImportDevices extends LitElement {
  static override styles = [
    controls,
    ...dialogStyles,
    resultStyles,
    css`
      dialog {
        width: min(48rem, calc(100vw - 2 * var(--space-4)));
      }
      @media (max-width: 40rem) {
        dialog {
          width: 100vw;
        }
      }
      input[type="file"]::file-selector-button {
        margin-right: var(--space-3);
        padding: 0 var(--space-3);
        border: 1px solid var(--line);
        border-radius: var(--radius-small);
        background: var(--surface-sunken);
        color: var(--text);
        font: inherit;
        cursor: pointer;
      }
      textarea {
        font-family: var(--font-mono);
        font-size: var(--size-small);
        white-space: pre;
        overflow-x: auto;
      }
    `,
  ];

  @property({ attribute: false }) clusters: ReadonlyMap<string, ClusterAnswer> = new Map();
  @state() private source: ImportSource = { format: "csv", text: "", clusterId: null };
  @state() private preview: ImportPreview | undefined;
  @state() private chosen: ReadonlySet<string> = new Set();
  @state() private result: ImportResult | undefined;
  /** What is wrong with the file that was chosen. */
  @state() private fileProblem = "";

  readonly #dialog = new FormDialog(this);
  /** Whoever chose a format knows better than a guess. */
  #isFormatChosen = false;

  override connectedCallback(): void {
    super.connectedCallback();
    this.source = { ...this.source, clusterId: onlyCluster(this.clusters) };
  }

  override firstUpdated(): void {
    this.#dialog.open();
  }

  override updated(changed: Map<PropertyKey, unknown>): void {
    // what became of each stands in a dialog of its own
    if (changed.has("result") && !this.renderRoot.querySelector("dialog")?.open) this.#dialog.open();
  }

  override render() {
    if (this.result) return this.#results(this.result);
    return this.preview ? this.#choices(this.preview) : this.#question();
  }

  #question() {
    const form = this.#dialog.state;
    const { format, text, clusterId } = this.source;
    return this.#dialog.render(
      { title: TITLE, submit: "Preview", busy: "Reading…" },
      html`<p class="quiet">
          From a spreadsheet, Home Assistant, UpSnap, or the lists of a DHCP server. You see first what would be added
          and changed.
        </p>
        <div class="field">
          <label for="file">File</label>
          <input
            id="file"
            type="file"
            aria-describedby=${this.fileProblem ? "file-note" : nothing}
            @change=${this.#fileChosen}
          />
          ${this.fileProblem ? html`<p class="error" id="file-note">${this.fileProblem}</p>` : nothing}
        </div>
        <div @input=${this.#textTyped}>
          ${textField(form, { name: "text", label: "Or its text", value: text, rows: 9, mono: true })}
        </div>
        <div class="two">
          <div @change=${this.#formatChosen}>
            ${selectField(form, { name: "format", label: "Format", value: format, options: IMPORT_FORMATS })}
          </div>
          ${
            this.clusters.size > 0
              ? selectField(form, {
                  name: "clusterId",
                  label: "Cluster of new devices",
                  value: clusterId ?? "",
                  options: clusterOptions(this.clusters),
                  hint: "Unless the text names one.",
                })
              : nothing
          }
        </div>`,
      (data) => this.#read(data),
    );
  }

  #choices(preview: ImportPreview) {
    const isOver = !preview.items.some(isOffered);
    const words = {
      title: TITLE,
      submit: isOver ? "Done" : summaryOf(this.chosen.size),
      busy: `Importing ${counted(this.chosen.size)}…`,
    };
    const back = html`<button type="button" class="plain" @click=${this.#back}>Back</button>`;
    return this.#dialog.render(
      words,
      html`<import-preview .preview=${preview} .chosen=${this.chosen} @chosen=${this.#chosen}></import-preview>`,
      async () => (isOver ? undefined : this.#apply()),
      { button: back, isAsking: false },
    );
  }

  #results(result: ImportResult) {
    const { problem } = this.#dialog.state;
    const isOutdated = result.items.some(({ outcome }) => outcome === "conflict");
    return this.#dialog.renderFacts(
      TITLE,
      html`${resultOf(result, this.preview?.items ?? [])}
        ${problem ? html`<p class="problem" role="alert">${problem}</p>` : nothing}
        <div class="buttons">
          ${isOutdated ? html`<button type="button" @click=${this.#previewAgain}>Preview again</button>` : nothing}
          <button type="button" class="primary" autofocus @click=${() => this.#dialog.close()}>Done</button>
        </div>`,
    );
  }

  async #read(data: FormData): Promise<"stay"> {
    const text = typed(data, "text");
    if (text.trim() === "")
      throw new CallError("INVALID_INPUT", "", [
        { path: "text", message: "is empty; choose a file, or paste its text" },
      ]);
    const format = typed(data, "format") as ImportFormat; // one of our own options
    this.source = { format, text, clusterId: textOrNull(data, "clusterId") };
    await this.#show();
    return "stay";
  }

  async #show(): Promise<void> {
    const preview = await previewImport(this.source);
    this.preview = preview;
    // what exists is changed only where somebody says so
    this.chosen = new Set(preview.items.flatMap((item) => (item.action === "create" ? [item.mac] : [])));
  }

  async #apply(): Promise<"stay"> {
    const offers = (this.preview?.items ?? []).filter(isOffered).filter(({ mac }) => this.chosen.has(mac));
    if (offers.length === 0) throw new CallError("INVALID_INPUT", "Choose at least one device.");
    const result = await applyImport(
      this.source,
      offers.map(({ mac, version }) => ({ mac, version })),
    );
    this.#dialog.state.isDirty = false; // the hub has it
    this.result = result;
    return "stay";
  }

  readonly #chosen = (event: CustomEvent<ReadonlySet<string>>): void => {
    this.chosen = event.detail;
  };

  readonly #back = (): void => {
    if (this.#dialog.state.isBusy) return;
    this.preview = undefined;
  };

  readonly #previewAgain = async (): Promise<void> => {
    if (await this.#dialog.state.submit(() => this.#show())) this.result = undefined;
  };

  readonly #formatChosen = (event: Event): void => {
    this.#isFormatChosen = true;
    this.source = { ...this.source, format: (event.target as HTMLSelectElement).value as ImportFormat }; // our own options
  };

  readonly #textTyped = (event: Event): void => {
    this.#guess((event.target as HTMLTextAreaElement).value);
  };

  readonly #fileChosen = async (event: Event): Promise<void> => {
    const [file] = (event.target as HTMLInputElement).files ?? [];
    if (!file) return;
    if (file.size > MAX_BYTES) {
      this.fileProblem = `${file.name} is larger than 512 KiB. Import a part of it.`;
      return;
    }
    const text = textOfBytes(await file.arrayBuffer());
    this.fileProblem = "";
    const area = this.renderRoot.querySelector("textarea");
    if (area) area.value = text;
    this.#guess(text, file.name);
  };

  #guess(text: string, fileName?: string): void {
    const format = this.#isFormatChosen ? undefined : guessFormat(text, fileName);
    if (format) this.source = { ...this.source, format };
  }
}

/** UTF-8, or else what spreadsheets on Windows write. */
function textOfBytes(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}
