import { css, html, nothing } from "lit";
import type { ImportItem, ImportOutcome, ImportResult } from "#contracts/api/imports.ts";
import { OUTCOME_WORDS, counted } from "./words.ts";

export const resultStyles = css`
  .results li {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    gap: 0 var(--space-3);
    padding: var(--space-2) 0;
    border-top: 1px solid var(--line);
    overflow-wrap: anywhere;
    content-visibility: auto;
    contain-intrinsic-block-size: auto 2.5rem;
  }
  .results .outcome {
    margin-left: auto;
  }
  .results ~ .buttons {
    position: sticky;
    bottom: calc(-1 * var(--space-4));
    padding: var(--space-3) 0 var(--space-4);
    background: var(--surface-raised);
  }
  .results .undone {
    color: var(--danger);
  }
  .results p {
    flex-basis: 100%;
  }
`;

const DONE: ReadonlySet<ImportOutcome> = new Set(["created", "changed", "unchanged"]);

/** What became of each, those first that were not done. @param items the preview that they were chosen of. */
export function resultOf({ items }: ImportResult, shown: readonly ImportItem[]) {
  const names = new Map(shown.map(({ mac, name }) => [mac, name]));
  const ordered = [
    ...items.filter(({ outcome }) => !DONE.has(outcome)),
    ...items.filter(({ outcome }) => DONE.has(outcome)),
  ];
  return html`<p role="status"><b>${summary(items)}</b></p>
    <ul class="results" aria-label="What became of each">
      ${ordered.map(
        ({ mac, outcome, device, reason }) =>
          html`<li>
            <span>${device?.name ?? names.get(mac) ?? mac}</span>
            <span class="mono quiet small">${mac}</span>
            <span class="outcome ${DONE.has(outcome) ? "" : "undone"}">${OUTCOME_WORDS[outcome]}</span>
            ${reason === null ? nothing : html`<p class="quiet small">${reason}</p>`}
          </li>`,
      )}
    </ul>`;
}

/** `3 devices added, 1 changed, 1 not done`. */
function summary(items: ImportResult["items"]): string {
  const count = (...outcomes: ImportOutcome[]) => items.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const parts = [
    [count("created"), "added"],
    [count("changed"), "changed"],
    [count("unchanged"), "as before"],
    [count("conflict", "impossible"), "not done"],
  ] as const;
  const [first, ...others] = parts.filter(([number]) => number > 0);
  if (!first) return "Nothing was done.";
  return [`${counted(first[0])} ${first[1]}`, ...others.map(([number, what]) => `${number} ${what}`)].join(", ");
}
