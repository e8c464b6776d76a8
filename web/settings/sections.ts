import { type TemplateResult, html } from "lit";
import type { Permission } from "#contracts/rights.ts";

/** A page of the settings. Its code is fetched when somebody opens it. */
export interface Section {
  /** As in its path, `/settings/tokens`. */
  readonly name: string;
  readonly label: string;
  /** Who may not do this does not see it. */
  readonly permission: Permission;
  readonly load: () => Promise<unknown>;
  readonly view: TemplateResult;
}

export const SECTIONS: readonly Section[] = [
  {
    name: "profile",
    label: "Profile",
    permission: "self",
    load: () => import("./profile-section.ts"),
    view: html`<profile-section></profile-section>`,
  },
  {
    name: "sessions",
    label: "Sessions",
    permission: "self",
    load: () => import("./sessions-section.ts"),
    view: html`<sessions-section></sessions-section>`,
  },
  {
    name: "tokens",
    label: "Tokens",
    permission: "self",
    load: () => import("./tokens-section.ts"),
    view: html`<tokens-section></tokens-section>`,
  },
  {
    name: "users",
    label: "Users",
    permission: "user:manage",
    load: () => import("./users-section.ts"),
    view: html`<users-section></users-section>`,
  },
  {
    name: "mqtt-clients",
    label: "MQTT credentials",
    permission: "mqtt-client:manage",
    load: () => import("./mqtt-clients-section.ts"),
    view: html`<mqtt-clients-section></mqtt-clients-section>`,
  },
  {
    name: "home-assistant",
    label: "Home Assistant",
    permission: "mqtt-client:manage",
    load: () => import("./home-assistant-section.ts"),
    view: html`<home-assistant-section></home-assistant-section>`,
  },
  {
    name: "sign-on",
    label: "Sign-on",
    permission: "hub:manage",
    load: () => import("./sign-on-section.ts"),
    view: html`<sign-on-section></sign-on-section>`,
  },
  {
    name: "sites",
    label: "Sites",
    permission: "hub:manage",
    load: () => import("./sites-section.ts"),
    view: html`<sites-section></sites-section>`,
  },
  {
    name: "audit",
    label: "Audit log",
    permission: "audit:read",
    load: () => import("./audit-section.ts"),
    view: html`<audit-section></audit-section>`,
  },
];
