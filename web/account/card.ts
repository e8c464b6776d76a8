import { type TemplateResult, css, html, nothing } from "lit";
import { logo, logoStyles } from "../app/logo.ts";
import type { FormState } from "../form/form-state.ts";

interface CardWords {
  readonly title: string;
  readonly intro: string | undefined;
  /** What went wrong before the form was opened. */
  readonly problem?: string | undefined;
  /** What the button does, and while it does. */
  readonly submit: string;
  readonly busy: string;
}

/** A form that stands alone on the page, under the name of the product. @param aside what may be done instead. */
export function cardForm(
  form: FormState,
  { title, intro, problem, submit, busy }: CardWords,
  fields: TemplateResult,
  submitted: (event: SubmitEvent) => void,
  aside?: TemplateResult,
) {
  const wrong = form.problem || problem;
  return html`<form class="card" novalidate @submit=${submitted}>
    <p class="brand">${logo} PowerBeacon</p>
    <h1>${title}</h1>
    ${intro ? html`<p class="quiet">${intro}</p>` : nothing}
    <div class="fields">${fields}</div>
    ${wrong ? html`<p class="problem" role="alert">${wrong}</p>` : nothing}
    <button class="primary" aria-disabled=${form.isBusy ? "true" : "false"}>${form.isBusy ? busy : submit}</button>
    ${aside ?? nothing}
  </form>`;
}

export const cardStyles = [
  logoStyles,
  css`
    .card {
      display: grid;
      gap: var(--space-4);
      padding: var(--space-5);
      border: 1px solid var(--line);
      border-radius: var(--radius);
      background: var(--surface-raised);
      color: var(--text);
      box-shadow: var(--shadow);
    }
    .brand {
      display: flex;
      align-items: center;
      gap: var(--space-2);
      font-weight: 650;
    }
    h1 {
      font-size: var(--size-title);
      line-height: 1.2;
    }
    h1 + p {
      margin-top: calc(-1 * var(--space-2));
    }
  `,
];
