import { css, html } from "lit";

/** A lamp that sends: the dot is the machine that is on. The same drawing is `public/favicon.svg`. */
export const logo = html`<svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
  <rect width="32" height="32" rx="8" fill="#0f6b66" />
  <g fill="none" stroke="#ffffff" stroke-width="2.4" stroke-linecap="round">
    <path d="M9.2 20.8a9 9 0 1 1 13.6 0" />
    <path d="M12.6 17.9a4.6 4.6 0 1 1 6.8 0" opacity="0.75" />
  </g>
  <circle cx="16" cy="15" r="2" fill="#ffd27a" />
  <path d="M16 17.5v7" stroke="#ffd27a" stroke-width="2.4" stroke-linecap="round" />
</svg>`;

export const logoStyles = css`
  .logo {
    flex: none;
    width: 1.75rem;
    height: 1.75rem;
  }
`;
