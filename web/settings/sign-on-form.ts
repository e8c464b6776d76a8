import { mdiClose, mdiPlus } from "@mdi/js";
import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { ProvisionedRole, SignOnSettings } from "#contracts/api/sign-on.ts";
import { changeSignOn } from "../api/sign-on.ts";
import { controls } from "../app/controls.ts";
import { icon } from "../app/icon.ts";
import { toast } from "../app/toast-list.ts";
import { changesOf } from "../form/changes.ts";
import { checkField, selectField, textField } from "../form/fields.ts";
import { FormDialog, dialogStyles, foldStyles } from "../form/form-dialog.ts";
import { isChecked, listOf, textOf, textOrNull, typed } from "../form/values.ts";
import { ROLE_WORDS } from "../words/roles.ts";

type Fields = Omit<SignOnSettings, "clientSecretSet">;
type Mapping = SignOnSettings["roleMapping"][number];

const NEW: Fields = {
  enabled: true,
  name: "",
  issuer: "",
  clientId: "",
  scopes: ["openid", "profile", "email"],
  autoProvision: false,
  allowedDomains: [],
  roleClaim: null,
  roleMapping: [],
  defaultRole: "viewer",
};

const ROLES = (["viewer", "user", "admin"] satisfies ProvisionedRole[]).map((value) => ({
  value,
  label: ROLE_WORDS[value].label,
}));

/**
 * The provider by which people log in. Its secret is written, never shown.
 *
 * @fires closed
 */
@customElement("sign-on-form")
export class SignOnForm extends LitElement {
  static override styles = [
    controls,
    ...dialogStyles,
    foldStyles,
    css`
      .mapping {
        display: grid;
        grid-template-columns: minmax(0, 1fr) 8rem auto;
        gap: var(--space-2);
        align-items: start;
      }
      .mapping button {
        margin-top: 1.65rem; /* beside the fields, below their labels */
      }
    `,
  ];

  @property({ attribute: false }) settings: SignOnSettings | null = null;
  /** A row stays the same row while others come and go. */
  @state() private mappings: readonly Mapping[] = [];

  readonly #dialog = new FormDialog(this);
  #before: Fields = NEW;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#before = this.settings ? fieldsOf(this.settings) : NEW;
    this.mappings = this.#before.roleMapping;
  }

  override firstUpdated(): void {
    this.#dialog.open();
  }

  override render() {
    const words = this.settings
      ? { title: `Edit ${this.settings.name}`, submit: "Save", busy: "Saving…" }
      : { title: "Set up sign-on", submit: "Save", busy: "Saving…" };
    return this.#dialog.render(words, html`${this.#provider()} ${this.#accounts()} ${this.#more()}`, (data) =>
      this.#save(data),
    );
  }

  #provider() {
    const form = this.#dialog.state;
    const { enabled, name, issuer, clientId } = this.#before;
    return html`${textField(form, {
        name: "name",
        label: "Name",
        value: name,
        placeholder: "e.g. Authentik",
        hint: "What the button says: Log in with …",
        autofocus: true,
        required: true,
      })}
      ${textField(form, {
        name: "issuer",
        label: "Issuer",
        value: issuer,
        placeholder: "e.g. https://auth.example.org/application/o/powerbeacon/",
        hint: "The hub reads the rest from its discovery document.",
        mono: true,
        required: true,
      })}
      <div class="two">
        ${textField(form, {
          name: "clientId",
          label: "Client identifier",
          value: clientId,
          mono: true,
          required: true,
        })}
        ${this.#secret()}
      </div>
      ${checkField(form, {
        name: "enabled",
        label: "On",
        checked: enabled,
        hint: "Off: the log-in page does not offer it, and nobody can log in with it.",
      })}`;
  }

  #secret() {
    const form = this.#dialog.state;
    const isSet = this.settings?.clientSecretSet ?? false;
    return html`<div class="fields">
      ${textField(form, {
        name: "clientSecret",
        label: "Client secret",
        type: "password",
        autocomplete: "new-password",
        placeholder: isSet ? "kept; type to replace it" : "",
      })}
      ${
        isSet
          ? checkField(form, { name: "clientSecretForget", label: "Forget the client secret", checked: false })
          : nothing
      }
    </div>`;
  }

  #accounts() {
    const form = this.#dialog.state;
    const { autoProvision, allowedDomains, defaultRole } = this.#before;
    return html`<details>
      <summary>New accounts and roles</summary>
      <div class="fields">
        ${checkField(form, {
          name: "autoProvision",
          label: "Whoever is new gets an account at the first log-in",
          checked: autoProvision,
        })}
        ${textField(form, {
          name: "allowedDomains",
          label: "Only with an e-mail address of",
          value: allowedDomains.join(", "),
          placeholder: "e.g. example.org",
          hint: "With commas between. Empty: of any domain.",
        })}
        ${selectField(form, { name: "defaultRole", label: "Their role", value: defaultRole, options: ROLES })}
        ${this.#roles()}
      </div>
    </details>`;
  }

  #roles() {
    const form = this.#dialog.state;
    return html`${textField(form, {
        name: "roleClaim",
        label: "Claim that decides the role",
        value: this.#before.roleClaim ?? "",
        placeholder: "e.g. groups",
        hint: "Empty: the provider decides no role. Otherwise the first value below that the claim holds counts, at every log-in.",
        mono: true,
      })}
      ${repeat(this.mappings, (mapping) => mapping, this.#mapping)}
      <div>
        <button type="button" @click=${this.#addMapping}>${icon(mdiPlus)} Add a value</button>
      </div>`;
  }

  readonly #mapping = (mapping: Mapping, index: number) => {
    const form = this.#dialog.state;
    return html`<div class="mapping">
      ${textField(form, { name: `roleMapping.${index}.value`, label: "Value", value: mapping.value, mono: true })}
      ${selectField(form, { name: `roleMapping.${index}.role`, label: "Role", value: mapping.role, options: ROLES })}
      <button
        type="button"
        class="plain icon-only"
        aria-label="Remove value ${index + 1}"
        @click=${() => this.#setMappings(this.mappings.filter((each) => each !== mapping))}
      >
        ${icon(mdiClose)}
      </button>
    </div>`;
  };

  #more() {
    return html`<details>
      <summary>More</summary>
      <div class="fields">
        ${textField(this.#dialog.state, {
          name: "scopes",
          label: "Scopes",
          value: this.#before.scopes.join(" "),
          hint: "With spaces between. openid is always asked for.",
          mono: true,
        })}
      </div>
    </details>`;
  }

  readonly #addMapping = (): void => this.#setMappings([...this.mappings, { value: "", role: "user" }]);

  #setMappings(mappings: readonly Mapping[]): void {
    this.mappings = mappings;
    this.#dialog.state.touch();
  }

  async #save(data: FormData): Promise<void> {
    const next = fieldsFrom(data, this.mappings.length);
    const secret = secretFrom(data);
    const change = this.settings ? changesOf(this.#before, next) : next;
    if (Object.keys({ ...change, ...secret }).length === 0) return;
    await changeSignOn({ ...change, ...secret });
    toast("The sign-on settings are saved");
  }
}

function fieldsOf(settings: SignOnSettings): Fields {
  const { enabled, name, issuer, clientId, scopes, autoProvision, allowedDomains } = settings;
  const { roleClaim, roleMapping, defaultRole } = settings;
  return {
    enabled,
    name,
    issuer,
    clientId,
    scopes,
    autoProvision,
    allowedDomains,
    roleClaim,
    roleMapping,
    defaultRole,
  };
}

function fieldsFrom(data: FormData, mappings: number): Fields {
  const role = (name: string) => textOf(data, name) as ProvisionedRole; // the options are ours
  return {
    enabled: isChecked(data, "enabled"),
    name: textOf(data, "name"),
    issuer: textOf(data, "issuer"),
    clientId: textOf(data, "clientId"),
    scopes: listOf(data, "scopes"),
    autoProvision: isChecked(data, "autoProvision"),
    allowedDomains: listOf(data, "allowedDomains"),
    roleClaim: textOrNull(data, "roleClaim"),
    roleMapping: Array.from({ length: mappings }, (_, index) => ({
      value: textOf(data, `roleMapping.${index}.value`),
      role: role(`roleMapping.${index}.role`),
    })),
    defaultRole: role("defaultRole"),
  };
}

/** A secret that is kept is never shown, so an empty field means: as it was. */
function secretFrom(data: FormData): { clientSecret?: string | null } {
  if (isChecked(data, "clientSecretForget")) return { clientSecret: null };
  const secret = typed(data, "clientSecret");
  return secret === "" ? {} : { clientSecret: secret };
}
