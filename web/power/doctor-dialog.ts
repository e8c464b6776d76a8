import { mdiAlertCircleOutline, mdiAlertOutline, mdiCheckCircleOutline, mdiInformationOutline } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { DoctorReport } from "#contracts/api/doctor.ts";
import type { Finding } from "#contracts/finding.ts";
import type { DeviceAnswer } from "#contracts/api/devices.ts";
import { doctorReport } from "../api/power.ts";
import { controls } from "../app/controls.ts";
import { icon } from "../app/icon.ts";
import { FormDialog, dialogStyles } from "../form/form-dialog.ts";
import { Reading } from "../live/reading.ts";

const VERDICTS = {
  fine: { path: mdiCheckCircleOutline, tone: "fine" },
  "may-fail": { path: mdiAlertOutline, tone: "warning" },
  "cannot-work": { path: mdiAlertCircleOutline, tone: "problem-words" },
} as const;

const SEVERITIES = {
  problem: { path: mdiAlertCircleOutline, tone: "problem-words", label: "Problem" },
  warning: { path: mdiAlertOutline, tone: "warning", label: "Warning" },
  hint: { path: mdiInformationOutline, tone: "quiet", label: "Hint" },
} as const;

/**
 * Why a device does not wake, or would not, and what to do about it.
 *
 * @fires closed
 */
@customElement("doctor-dialog")
export class DoctorDialog extends LitElement {
  static override styles = [
    controls,
    ...dialogStyles,
    css`
      .verdict {
        display: flex;
        gap: var(--space-3);
        padding: var(--space-3) var(--space-4);
        border-radius: var(--radius-small);
        background: var(--surface-sunken);
        font-weight: 550;
      }
      .verdict.fine {
        background: var(--power-on-soft);
        color: var(--power-on);
      }
      .verdict.warning {
        background: var(--warning-soft);
      }
      .verdict.problem-words {
        background: var(--danger-soft);
      }
      .warning {
        color: var(--warning);
      }
      .problem-words {
        color: var(--danger);
      }
      .icon {
        margin-top: 0.1em;
      }
      .findings li {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: var(--space-1) var(--space-3);
        padding: var(--space-3) 0;
      }
      .findings li + li {
        border-top: 1px solid var(--line);
      }
      .findings li > :first-child {
        grid-row: 1 / 4;
      }
      code {
        font: 0.9em var(--font-mono);
        overflow-wrap: anywhere;
      }
      .findings h3 {
        font-size: var(--size-text);
        font-weight: 600;
      }
      .findings p,
      .findings details {
        grid-column: 2;
      }
      summary {
        color: var(--text-quiet);
        font-size: var(--size-small);
        cursor: pointer;
      }
      dl {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: 0 var(--space-3);
        padding-top: var(--space-1);
        font-size: var(--size-small);
        overflow-wrap: anywhere;
      }
      dt {
        color: var(--text-quiet);
      }
    `,
  ];

  @property({ attribute: false }) device: DeviceAnswer | undefined;

  readonly #dialog = new FormDialog(this);
  readonly #report = new Reading(this, () => this.#read());

  override firstUpdated(): void {
    this.#dialog.open();
  }

  override render() {
    const { device } = this;
    if (!device) return nothing;
    return this.#dialog.render(
      { title: `Would ${device.name} wake?`, submit: "Check again", busy: "Checking…", cancel: "Close" },
      html`${this.#report.render((report) => this.#shown(report))}`,
      async () => {
        await this.#report.again();
        return "stay";
      },
    );
  }

  #shown({ verdict, summary, findings }: DoctorReport) {
    const { path, tone } = VERDICTS[verdict];
    return html`<p class="verdict ${tone}" role="status">${icon(path)} ${summary}</p>
      ${
        findings.length > 0
          ? html`<ol class="findings" aria-label="Findings">
              ${findings.map(findingItem)}
            </ol>`
          : nothing
      }`;
  }

  async #read(): Promise<DoctorReport> {
    return await doctorReport(this.device?.id ?? "");
  }
}

function findingItem({ severity, title, advice, evidence }: Finding) {
  const { path, tone, label } = SEVERITIES[severity];
  const facts = Object.entries(evidence);
  return html`<li>
    <span class=${tone}>${icon(path)}<span class="visually-hidden">${label}:</span></span>
    <h3>${title}</h3>
    <p>${withCode(advice)}</p>
    ${
      facts.length > 0
        ? html`<details>
            <summary>What this rests on</summary>
            <dl>
              ${facts.map(
                ([name, value]) =>
                  html`<dt>${nameWords(name)}</dt>
                    <dd>${valueWords(value)}</dd>`,
              )}
            </dl>
          </details>`
        : nothing
    }
  </li>`;
}

/** What stands between backticks is to be typed. */
function withCode(text: string) {
  return text.split("`").map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));
}

/** `lastSeenAt` → `last seen at`. */
function nameWords(name: string): string {
  return name.replaceAll(/(?<=[a-z])([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
}

function valueWords(value: unknown): string {
  if (value === null || value === undefined) return "unknown";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(valueWords).join(", ");
  if (typeof value === "string" || typeof value === "number") return String(value);
  return Object.entries(value)
    .map(([name, each]) => `${nameWords(name)} ${valueWords(each)}`)
    .join(", ");
}
