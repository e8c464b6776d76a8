import { css, svg } from "lit";

/** An icon in the size of the text beside it. It is decoration: the words beside it, or its button's label, speak. */
export function icon(path: string) {
  return svg`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${path} /></svg>`;
}

export const iconStyles = css`
  .icon {
    flex: none;
    width: 1.25em;
    height: 1.25em;
    fill: currentColor;
  }
`;
