import { css } from "lit";

/** How buttons, fields, links and dialogs look, wherever they stand. Every element that has some takes this in. */
export const controls = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  [hidden] {
    display: none !important;
  }
  :focus-visible {
    outline: var(--focus);
    outline-offset: 2px;
  }
  h1,
  h2,
  h3,
  p,
  dl,
  dd,
  ul,
  ol {
    margin: 0;
    padding: 0;
  }
  ul,
  ol {
    list-style: none;
  }
  a {
    color: var(--accent);
    text-underline-offset: 0.15em;
  }
  .quiet {
    color: var(--text-quiet);
  }
  .small {
    font-size: var(--size-small);
  }
  .mono {
    font-family: var(--font-mono);
    font-size: 0.95em;
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  button,
  a.button {
    appearance: none;
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: var(--space-2);
    min-height: 2.5rem;
    padding: var(--space-1) var(--space-4);
    border: 1px solid var(--line);
    border-radius: var(--radius-small);
    background: var(--surface-raised);
    color: var(--text);
    font: inherit;
    font-weight: 550;
    text-decoration: none;
    cursor: pointer;
  }
  button:hover,
  a.button:hover {
    border-color: var(--line-strong);
  }
  button.primary {
    border-color: transparent;
    background: var(--accent);
    color: var(--on-accent);
  }
  button.primary:hover {
    background: var(--accent-hover);
  }
  button.danger {
    color: var(--danger);
  }
  button.danger.primary {
    background: var(--danger);
    color: var(--surface-raised);
  }
  button.plain {
    border-color: transparent;
    background: transparent;
  }
  button.plain:hover {
    background: var(--surface-sunken);
  }
  button.icon-only {
    width: 2.5rem;
    padding: 0;
  }
  button[aria-disabled="true"] {
    opacity: 0.55;
    cursor: default;
  }

  label,
  legend {
    font-weight: 550;
  }
  .check label {
    font-weight: 450;
  }
  legend {
    padding: 0;
    margin-bottom: var(--space-1);
  }
  input:not([type="checkbox"]),
  select,
  textarea {
    appearance: none;
    width: 100%;
    min-height: 2.5rem;
    padding: var(--space-2) var(--space-3);
    border: 1px solid var(--line-strong);
    border-radius: var(--radius-small);
    background: var(--surface-raised);
    color: var(--text);
    font: inherit;
  }
  textarea {
    resize: vertical;
  }
  select {
    padding-right: var(--space-6);
    background-image:
      linear-gradient(45deg, transparent 50%, var(--text-quiet) 50%),
      linear-gradient(-45deg, transparent 50%, var(--text-quiet) 50%);
    background-position:
      right 1.1rem center,
      right 0.8rem center;
    background-size: 0.32rem 0.32rem;
    background-repeat: no-repeat;
  }
  input[type="checkbox"] {
    flex: none;
    width: 1.125rem;
    height: 1.125rem;
    margin: 0.2rem 0 0;
    accent-color: var(--accent);
  }
  input::placeholder,
  textarea::placeholder {
    color: var(--text-quiet);
    font-style: italic;
    opacity: 1;
  }
  [aria-invalid="true"]:not([type="checkbox"]) {
    border-color: var(--danger) !important;
  }
  .fields {
    display: grid;
    gap: var(--space-4);
  }
  .field {
    display: grid;
    gap: var(--space-1);
    min-width: 0;
  }
  .field.check {
    grid-template-columns: auto 1fr;
    column-gap: var(--space-2);
  }
  .field.check > .hint,
  .field.check > .error {
    grid-column: 2;
  }
  .field > .hint {
    color: var(--text-quiet);
    font-size: var(--size-small);
  }
  .field > .error,
  .problem {
    color: var(--danger);
    font-size: var(--size-small);
  }
  .problem {
    padding: var(--space-2) var(--space-3);
    border-radius: var(--radius-small);
    background: var(--danger-soft);
    font-size: var(--size-text);
    overflow-wrap: anywhere;
  }
  fieldset,
  .checks {
    display: grid;
    gap: var(--space-2);
    min-width: 0;
  }
  fieldset {
    margin: 0;
    padding: 0;
    border: 0;
  }
  .two {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(13rem, 100%), 1fr));
    gap: var(--space-4);
    align-items: start;
  }
`;
