import { css } from "lit";

/** How the parts of the settings look: a heading with its button, what it is for, and a card for each thing. */
export const sectionStyles = [
  css`
    :host {
      display: grid;
      gap: var(--space-4);
    }
    header,
    .title {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: var(--space-2) var(--space-3);
    }
    h2,
    h3 {
      flex: 1 1 6.5rem; /* where it has less, what stands beside it goes below */
      min-width: 0;
      line-height: 1.3;
      overflow-wrap: anywhere;
    }
    h2 {
      font-size: var(--size-title);
    }
    h3 {
      flex-basis: 4.5rem;
      font-size: 1rem;
      font-weight: 600;
    }
    .cards {
      display: grid;
      gap: var(--space-3);
    }
    article,
    .card {
      display: grid;
      gap: var(--space-3);
      padding: var(--space-4);
      border: 1px solid var(--line);
      border-radius: var(--radius);
      background: var(--surface-raised);
      box-shadow: var(--shadow);
    }
    .actions {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      justify-content: end;
      gap: var(--space-2);
    }
    .card.rows {
      gap: 0;
    }
    .rows > li {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: var(--space-2) var(--space-4);
      padding: var(--space-3) 0;
    }
    .rows > li + li {
      border-top: 1px solid var(--line);
    }
    .rows > li:first-child {
      padding-top: 0;
    }
    .rows > li:last-child {
      padding-bottom: 0;
    }
    .fill {
      flex: 1;
      min-width: min(14rem, 100%);
      overflow-wrap: anywhere;
    }
    .mark {
      padding: 0 var(--space-2);
      border-radius: var(--radius-round);
      background: var(--surface-sunken);
      color: var(--text-quiet);
      font-size: var(--size-small);
      font-weight: 550;
      white-space: nowrap;
    }
    .mark.good {
      background: var(--accent-soft);
      color: var(--accent);
    }
    .mark.bad {
      background: var(--danger-soft);
      color: var(--danger);
    }
    .empty {
      padding: var(--space-4);
      border: 1px dashed var(--line);
      border-radius: var(--radius);
      color: var(--text-quiet);
    }
  `,
];
