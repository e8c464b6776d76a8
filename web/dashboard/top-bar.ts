import { mdiAccountCircleOutline, mdiCalendarClockOutline, mdiPlus, mdiServerOutline } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { Session } from "../account/session.ts";
import { currentPath, hrefOf } from "../api/address.ts";
import { controls } from "../app/controls.ts";
import { icon, iconStyles } from "../app/icon.ts";
import { logo, logoStyles } from "../app/logo.ts";
import { FIRST_SECTION, SCHEDULES_PATH, pathOfSection } from "../app/router.ts";
import "../app/site-switcher.ts";
import { ROLE_WORDS } from "../words/roles.ts";
import { type Theme, chooseTheme, chosenTheme } from "../app/theme.ts";

const THEMES: readonly { theme: Theme; label: string }[] = [
  { theme: "system", label: "As the system" },
  { theme: "light", label: "Light" },
  { theme: "dark", label: "Dark" },
];

/** What can be added, by the event that asks for it, and who may. */
const ADDITIONS = [
  { event: "add-device", label: "Device", permission: "device:create" },
  { event: "add-cluster", label: "Cluster", permission: "cluster:create" },
  { event: "join-agent", label: "Agent", permission: "agent:manage" },
  { event: "import-devices", label: "Import devices…", permission: "device:create" },
  { event: "export-devices", label: "Export devices…", permission: "device:create" },
] as const;

/**
 * The head of the page: its name, what can be added, and the account.
 *
 * @fires add-device @fires add-cluster @fires join-agent @fires import-devices @fires export-devices @fires log-out
 */
@customElement("top-bar")
export class TopBar extends LitElement {
  static override styles = [
    controls,
    iconStyles,
    logoStyles,
    css`
      :host {
        position: sticky;
        top: 0;
        z-index: 5;
        display: block;
        border-bottom: 1px solid var(--line);
        background: var(--surface-raised);
      }
      .bar {
        position: relative;
        display: flex;
        align-items: center;
        gap: var(--space-2);
        max-width: var(--width-page);
        margin: 0 auto;
        padding: var(--space-2) var(--space-4);
      }
      .brand {
        display: flex;
        flex: 1;
        align-items: center;
        gap: var(--space-2);
        color: inherit;
        font-size: 1.05rem;
        font-weight: 650;
        text-decoration: none;
      }
      nav {
        display: flex;
        gap: var(--space-1);
      }
      nav a {
        display: inline-flex;
        align-items: center;
        gap: var(--space-2);
        min-height: 2.5rem;
        padding: 0 var(--space-3);
        border-radius: var(--radius-small);
        color: var(--text-quiet);
        font-weight: 550;
        text-decoration: none;
      }
      nav a:hover {
        background: var(--surface-sunken);
      }
      nav a[aria-current] {
        background: var(--accent-soft);
        color: var(--accent);
      }
      @media (max-width: 40rem) {
        .bar {
          gap: var(--space-1);
        }
        nav a {
          justify-content: center;
          min-width: 2.5rem;
          padding: 0;
        }
        nav span {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
          white-space: nowrap;
        }
      }
      /* on a phone, which site it is matters more than the name of the product */
      @media (max-width: 30rem) {
        .brand:has(~ site-switcher) span {
          display: none;
        }
      }
      @media (max-width: 24rem) {
        .brand span {
          display: none;
        }
      }
      [popover] {
        position: fixed;
        inset: 3.5rem max(var(--space-4), calc((100vw - var(--width-page)) / 2 + var(--space-4))) auto auto;
        width: 14rem;
        margin: 0;
        padding: var(--space-2);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface-raised);
        color: var(--text);
        box-shadow: var(--shadow-dialog);
      }
      #additions {
        margin-right: 3rem; /* below its own button; that of the account stands beside it */
      }
      [popover] button,
      [popover] a {
        display: flex;
        align-items: center;
        justify-content: start;
        width: 100%;
        min-height: 2.5rem;
        padding: var(--space-1) var(--space-3);
        border: 0;
        border-radius: var(--radius-small);
        color: inherit;
        font-weight: 450;
        text-decoration: none;
      }
      [popover] a:hover {
        background: var(--surface-sunken);
      }
      .who {
        padding: var(--space-2) var(--space-3);
        border-bottom: 1px solid var(--line);
        margin-bottom: var(--space-2);
        overflow-wrap: anywhere;
      }
      fieldset {
        gap: 0;
        padding: var(--space-2) 0;
        margin: var(--space-2) 0;
        border-block: 1px solid var(--line);
      }
      legend {
        float: left;
        padding: 0 var(--space-3);
        color: var(--text-quiet);
        font-size: var(--size-small);
        font-weight: 450;
      }
      fieldset label {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        min-height: 2.25rem;
        padding: 0 var(--space-3);
        font-weight: 450;
      }
      input[type="radio"] {
        appearance: auto;
        width: 1rem;
        min-height: 1rem;
        margin: 0;
        accent-color: var(--accent);
      }
    `,
  ];

  /** Whether something can be added where it stands. */
  @property({ attribute: false }) isAdding = false;
  @state() private theme: Theme = chosenTheme();

  readonly #session = new Session(this);

  override render() {
    const { store } = this.#session;
    const { me } = store;
    const additions = this.isAdding ? ADDITIONS.filter(({ permission }) => store.may(permission)) : [];
    return html`<header class="bar">
      <a class="brand" href=${hrefOf("/")} aria-label="PowerBeacon">${logo} <span>PowerBeacon</span></a>
      ${me && me.sites.length > 1 ? html`<site-switcher></site-switcher>` : nothing}
      ${me?.site && store.may("schedule:read") ? this.#nav() : nothing}
      ${additions.length > 0 ? html`<button class="primary" popovertarget="additions">${icon(mdiPlus)} Add</button>` : nothing}
      <button class="plain icon-only" popovertarget="account" aria-label="Account and settings">
        ${icon(mdiAccountCircleOutline)}
      </button>
      <div id="additions" popover>
        ${additions.map(
          ({ event, label }) => html`<button class="plain" @click=${() => this.#say(event)}>${label}</button>`,
        )}
      </div>
      <div id="account" popover>
        <p class="who">
          <b>${me?.fullName ?? me?.username}</b><br /><span class="quiet small"
            >${me?.role && ROLE_WORDS[me.role].label}</span
          >
        </p>
        <a href=${hrefOf(pathOfSection(FIRST_SECTION))} @click=${this.#closeMenus}>Settings</a>
        <a href=${hrefOf("/api/docs")} target="_blank">API documents</a>
        <fieldset>
          <legend>Appearance</legend>
          ${THEMES.map(
            ({ theme, label }) =>
              html`<label
                ><input
                  type="radio"
                  name="theme"
                  value=${theme}
                  .checked=${theme === this.theme}
                  @change=${() => this.#choose(theme)}
                />${label}</label
              >`,
          )}
        </fieldset>
        <button class="plain" @click=${() => this.#say("log-out")}>Log out</button>
      </div>
    </header>`;
  }

  #nav() {
    const isSchedules = currentPath().startsWith(SCHEDULES_PATH);
    const link = (path: string, label: string, shape: string, isCurrent: boolean) =>
      html`<a href=${hrefOf(path)} aria-current=${isCurrent ? "page" : nothing}
        >${icon(shape)}<span>${label}</span></a
      >`;
    return html`<nav aria-label="Pages">
      ${link("/", "Devices", mdiServerOutline, this.isAdding)}
      ${link(SCHEDULES_PATH, "Schedules", mdiCalendarClockOutline, isSchedules)}
    </nav>`;
  }

  #choose(theme: Theme): void {
    this.theme = theme;
    chooseTheme(theme);
  }

  #say(event: string): void {
    this.#closeMenus();
    this.dispatchEvent(new CustomEvent(event, { bubbles: true, composed: true }));
  }

  readonly #closeMenus = (): void => {
    for (const menu of this.renderRoot.querySelectorAll<HTMLElement>(":popover-open")) {
      menu.hidePopover();
      // a dialog that opens now gives the focus back to it when it closes
      this.renderRoot.querySelector<HTMLElement>(`[popovertarget=${menu.id}]`)?.focus();
    }
  };
}
