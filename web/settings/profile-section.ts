import { LitElement, html } from "lit";
import { customElement } from "lit/decorators.js";
import { controls } from "../app/controls.ts";
import "./profile-form.ts";
import "./profile-logins.ts";
import "./profile-password.ts";
import { sectionStyles } from "./section-styles.ts";

/** The account itself: what it is called, and by what it logs in. */
@customElement("profile-section")
export class ProfileSection extends LitElement {
  static override styles = [controls, ...sectionStyles];

  override render() {
    return html`<h2>Profile</h2>
      <profile-form></profile-form>
      <profile-password></profile-password>
      <profile-logins></profile-logins>`;
  }
}
