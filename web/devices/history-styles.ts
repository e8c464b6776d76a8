import { css } from "lit";

/** How a list of what happened looks, each entry with its steps folded. */
export const historyStyles = css`
  .entries {
    display: grid;
    gap: var(--space-2);
  }
  summary {
    display: flex;
    flex-wrap: wrap;
    gap: 0 var(--space-3);
    padding: var(--space-2) 0;
    border-top: 1px solid var(--line);
    cursor: pointer;
  }
  summary .icon {
    align-self: start;
    margin-top: 0.15em;
    color: var(--text-quiet);
    transition: rotate 0.15s;
  }
  details[open] .icon {
    rotate: 90deg;
  }
  summary .outcome {
    flex: 1;
    min-width: min(14rem, 100%);
    overflow-wrap: anywhere;
  }
  summary .outcome + * {
    margin-inline-start: auto;
  }
  .bad {
    color: var(--warning);
  }
  ol {
    display: grid;
    gap: var(--space-1);
    padding: 0 0 var(--space-2) var(--space-4);
    font-size: var(--size-small);
  }
  li {
    display: grid;
    grid-template-columns: 4.5rem minmax(0, 1fr);
    overflow-wrap: anywhere;
  }
  .after {
    font-variant-numeric: tabular-nums;
  }
`;
