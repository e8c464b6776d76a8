import { css, html } from "lit";

/** A name and what it is; a fact that is not known is left out. */
export type Fact = readonly [name: string, value: unknown];

export function factList(facts: readonly Fact[]) {
  const known = facts.filter(([, value]) => value !== undefined && value !== null && value !== "" && value !== false);
  return html`<dl class="facts">
    ${known.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

export const factStyles = css`
  .facts {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(10rem, 100%), 1fr));
    gap: var(--space-2) var(--space-5);
  }
  .facts div {
    min-width: 0;
  }
  .facts dt {
    color: var(--text-quiet);
    font-size: var(--size-small);
  }
  .facts dd {
    overflow-wrap: anywhere;
  }
`;
