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
      flex: 1;
      min-width: 0;
      line-height: 1.3;
      overflow-wrap: anywhere;
    }
    h2 {
      font-size: var(--size-title);
    }
    h3 {
      font-size: 1rem;
      font-weight: 600;
    }
    .cards {
      display: grid;
      gap: var(--space-3);
    }
    article {
      display: grid;
      gap: var(--space-3);
      padding: var(--space-4);
      border: 1px solid var(--line);
      border-radius: var(--radius);
      background: var(--surface-raised);
      box-shadow: var(--shadow);
    }
    .empty {
      padding: var(--space-4);
      border: 1px dashed var(--line);
      border-radius: var(--radius);
      color: var(--text-quiet);
    }
  `,
];
