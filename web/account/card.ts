import { css, html } from "lit";
import { logo, logoStyles } from "../app/logo.ts";

/** The name above a form that stands alone. */
export const brand = html`<p class="brand">${logo} PowerBeacon</p>`;

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
