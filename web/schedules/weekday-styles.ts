import { css } from "lit";

/** Days of the week as a row of buttons, each of them a checkbox. */
export const weekdayStyles = css`
  .weekdays {
    display: grid;
    grid-template-columns: repeat(7, minmax(0, 1fr));
    gap: var(--space-1);
  }
  .weekdays label {
    position: relative;
  }
  .weekdays input {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    margin: 0;
    opacity: 0;
    cursor: pointer;
  }
  .weekdays span {
    display: grid;
    place-items: center;
    min-height: 2.5rem;
    border: 1px solid var(--line-strong);
    border-radius: var(--radius-small);
    font-size: var(--size-small);
  }
  .weekdays :checked + span {
    border-color: transparent;
    background: var(--accent);
    color: var(--on-accent);
  }
  .weekdays :focus-visible + span {
    outline: var(--focus);
    outline-offset: 2px;
  }
`;
