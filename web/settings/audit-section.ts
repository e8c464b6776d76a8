import { mdiRefresh } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { type AuditFilter, auditFile } from "../api/audit.ts";
import { CallError } from "../api/call.ts";
import { controls } from "../app/controls.ts";
import { icon, iconStyles } from "../app/icon.ts";
import { save } from "../app/save.ts";
import { toast } from "../app/toast-list.ts";
import "../dashboard/hub-banner.ts";
import { Live } from "../live/live.ts";
import "./audit-entry.ts";
import "./audit-filter.ts";
import { AuditRows } from "./audit-rows.ts";
import { sectionStyles } from "./section-styles.ts";

/** Who did what, and from where: the audit log, the newest first. */
@customElement("audit-section")
export class AuditSection extends LitElement {
  static override styles = [
    controls,
    iconStyles,
    ...sectionStyles,
    css`
      ol {
        padding: 0 var(--space-4);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface-raised);
        box-shadow: var(--shadow);
      }
      li + li {
        border-top: 1px solid var(--line);
      }
      .count {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--space-2);
      }
      .count p {
        flex: 1;
        font-variant-numeric: tabular-nums;
      }
    `,
  ];

  @state() private exporting: "csv" | "json" | undefined;

  readonly #log = new AuditRows(this);
  readonly #live = new Live(this);
  readonly #clock = (): number => this.#live.store.nowMs();
  /** Reads on as soon as somebody comes near the end. */
  readonly #end = new IntersectionObserver(([end]) => void (end?.isIntersecting && this.#log.more()), {
    rootMargin: "400px",
  });

  override disconnectedCallback(): void {
    this.#end.disconnect();
    super.disconnectedCallback();
  }

  override render() {
    const { connection, heardAt, hub } = this.#live.store;
    const { rows, problem, total } = this.#log;
    return html`<header>
        <h2>Audit log</h2>
        <button class="plain icon-only" aria-label="Read it again" title="Read it again" @click=${this.#again}>
          ${icon(mdiRefresh)}
        </button>
      </header>
      <p class="quiet">
        Who did what, and from where. Nobody can change it; each entry holds the hash of the one before.
      </p>
      ${
        hub?.audit === "failing"
          ? html`<hub-banner .connection=${connection} .heardAt=${heardAt} .audit=${hub.audit}></hub-banner>`
          : nothing
      }
      <audit-filter @filter=${this.#filtered}></audit-filter>
      ${problem ? html`<p class="problem" role="alert">The log cannot be read: ${problem}</p>` : nothing}
      ${
        total === undefined
          ? problem
            ? nothing
            : html`<p class="quiet" role="status">Loading…</p>`
          : html`${this.#count(total)} ${rows.length > 0 ? this.#list() : html`<p class="empty">Nothing fits.</p>`}`
      }`;
  }

  override updated(): void {
    // observed anew, it tells anew whether it is in sight
    this.#end.disconnect();
    const end = this.renderRoot.querySelector("#end");
    if (end && !this.#log.problem) this.#end.observe(end);
  }

  #count(total: number) {
    return html`<div class="count">
      <p class="quiet" role="status">${total === 1 ? "1 entry" : `${total.toLocaleString()} entries`}</p>
      ${this.#exportButton("csv", "CSV")} ${this.#exportButton("json", "JSON")}
    </div>`;
  }

  #exportButton(format: "csv" | "json", label: string) {
    const isBusy = this.exporting === format;
    return html`<button aria-disabled=${this.exporting ? "true" : "false"} @click=${() => void this.#export(format)}>
      ${isBusy ? "Exporting…" : `Export ${label}`}
    </button>`;
  }

  #list() {
    const { rows, hasMore, isReading } = this.#log;
    return html`<ol>
        ${repeat(
          rows,
          ({ hash }) => hash,
          (row) => html`<li><audit-entry .row=${row} .clock=${this.#clock}></audit-entry></li>`,
        )}
      </ol>
      ${
        hasMore
          ? html`<button id="end" aria-disabled=${isReading ? "true" : "false"} @click=${() => void this.#log.more()}>
              ${isReading ? "Reading…" : "Show more"}
            </button>`
          : nothing
      }`;
  }

  readonly #filtered = (event: CustomEvent<AuditFilter>): void => void this.#log.show(event.detail);

  readonly #again = (): void => void this.#log.show(this.#log.filter);

  async #export(format: "csv" | "json"): Promise<void> {
    if (this.exporting) return;
    this.exporting = format;
    try {
      save(
        await auditFile(this.#log.filter, format),
        `powerbeacon-audit-${new Date().toISOString().slice(0, 10)}.${format}`,
      );
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      toast(`Nothing was exported: ${error.message}`, "bad");
    } finally {
      this.exporting = undefined;
    }
  }
}
