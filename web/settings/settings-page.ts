import { mdiArrowLeft } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { Session } from "../account/session.ts";
import { hrefOf } from "../api/address.ts";
import { controls } from "../app/controls.ts";
import { icon, iconStyles } from "../app/icon.ts";
import { FIRST_SECTION, pathOfSection } from "../app/router.ts";
import "../dashboard/top-bar.ts";
import { SECTIONS, type Section } from "./sections.ts";

/** The settings: beside the list of those that the account may see, the one that the address names. */
@customElement("settings-page")
export class SettingsPage extends LitElement {
  static override styles = [
    controls,
    iconStyles,
    css`
      .frame {
        display: grid;
        grid-template-columns: 13rem minmax(0, 1fr);
        gap: var(--space-6);
        max-width: var(--width-page);
        margin: 0 auto;
        padding: var(--space-5) var(--space-4) var(--space-7);
      }
      nav {
        align-self: start;
        position: sticky;
        top: 5rem;
        display: grid;
        gap: var(--space-3);
      }
      nav h1 {
        padding: 0 var(--space-3);
        font-size: var(--size-title);
        line-height: 1.3;
      }
      nav a {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        min-height: 2.5rem;
        padding: var(--space-1) var(--space-3);
        border-radius: var(--radius-small);
        color: inherit;
        text-decoration: none;
        white-space: nowrap;
      }
      nav a:hover {
        background: var(--surface-sunken);
      }
      nav a[aria-current] {
        background: var(--accent-soft);
        color: var(--accent);
        font-weight: 600;
      }
      .back {
        color: var(--text-quiet);
      }
      main {
        min-width: 0;
        max-width: 52rem;
      }
      @media (max-width: 52rem) {
        .frame {
          grid-template-columns: minmax(0, 1fr);
          gap: var(--space-4);
          padding-top: var(--space-3);
        }
        nav {
          position: static;
          gap: var(--space-1);
        }
        nav h1 {
          padding: 0;
        }
        .back {
          margin-left: calc(-1 * var(--space-3));
          justify-self: start;
        }
        /* the list goes on beyond the edge, and shows it */
        nav ul {
          display: flex;
          gap: var(--space-1);
          margin: 0 calc(-1 * var(--space-4));
          padding: var(--space-1) var(--space-4);
          overflow-x: auto;
          scrollbar-width: none;
        }
      }
    `,
  ];

  /** As in the address. */
  @property() section = FIRST_SECTION;
  /** What was loaded, or what could not be. */
  @state() private loaded: ReadonlyMap<string, "ready" | "failed"> = new Map();

  readonly #session = new Session(this);

  override render() {
    const sections = SECTIONS.filter(({ permission }) => this.#session.store.may(permission));
    return html`<top-bar></top-bar>
      <div class="frame">
        <nav aria-label="Settings">
          <a class="back" href=${hrefOf("/")}>${icon(mdiArrowLeft)} Devices</a>
          <h1>Settings</h1>
          <ul>
            ${sections.map(
              ({ name, label }) =>
                html`<li>
                  <a href=${hrefOf(pathOfSection(name))} aria-current=${name === this.section ? "page" : nothing}
                    >${label}</a
                  >
                </li>`,
            )}
          </ul>
        </nav>
        <main>${this.#view(sections.find(({ name }) => name === this.section))}</main>
      </div>`;
  }

  override updated(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has("section")) return;
    this.renderRoot.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
    const section = SECTIONS.find(({ name }) => name === this.section);
    if (section && this.loaded.get(section.name) !== "ready") void this.#load(section);
  }

  #view(section: Section | undefined) {
    if (!section) return html`<p>There is no such page in the settings, or your account may not see it.</p>`;
    switch (this.loaded.get(section.name)) {
      case "ready":
        return section.view;
      case undefined:
        return html`<p class="quiet" role="status">Loading…</p>`;
      case "failed":
        return html`<p class="problem" role="alert">This part of the page could not be loaded.</p>
          <button @click=${() => location.reload()}>Load the page anew</button>`;
    }
  }

  async #load({ name, load }: Section): Promise<void> {
    let became: "ready" | "failed" = "ready";
    try {
      await load();
    } catch {
      became = "failed"; // the hub is away, or has another version of the page by now
    }
    this.loaded = new Map(this.loaded).set(name, became);
  }
}
