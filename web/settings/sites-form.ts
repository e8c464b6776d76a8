import { LitElement, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { SiteAnswer } from "#contracts/api/sites.ts";
import { changeSite, createSite, deleteSite } from "../api/sites.ts";
import { controls } from "../app/controls.ts";
import { toast } from "../app/toast-list.ts";
import { DeleteButton } from "../form/delete-button.ts";
import { textField } from "../form/fields.ts";
import { FormDialog, dialogStyles } from "../form/form-dialog.ts";
import { textOf } from "../form/values.ts";

/**
 * Adds a site, or renames the one it is given. One that is empty can be deleted.
 *
 * @fires closed
 */
@customElement("sites-form")
export class SitesForm extends LitElement {
  static override styles = [controls, ...dialogStyles];

  @property({ attribute: false }) site: SiteAnswer | undefined;
  /** Whether the page shows this very site. */
  @property({ type: Boolean }) shown = false;

  readonly #dialog = new FormDialog(this);
  readonly #delete = new DeleteButton(this, this.#dialog);

  override firstUpdated(): void {
    this.#dialog.open();
  }

  override render() {
    const { site } = this;
    const staysBecause = site && this.#whyItStays(site);
    const words = site
      ? { title: `Edit ${site.name}`, submit: "Save", busy: "Saving…" }
      : { title: "Add a site", submit: "Add site", busy: "Adding…" };
    return this.#dialog.render(
      words,
      html`${textField(this.#dialog.state, {
        name: "name",
        label: "Name",
        value: site?.name ?? "",
        placeholder: "e.g. Cabin",
        hint: site ? `Its key stays ${site.key}.` : "Its key is made from it.",
        autofocus: true,
        required: true,
      })}
      ${staysBecause ? html`<p class="quiet small">${staysBecause}</p>` : nothing}`,
      (data) => this.#save(textOf(data, "name")),
      site && !staysBecause ? { button: this.#deleteButton(site), isAsking: this.#delete.isAsking } : undefined,
    );
  }

  #deleteButton({ id, name, members }: SiteAnswer) {
    const whoLeaves = members === 0 ? "" : " Its members keep their accounts.";
    return this.#delete.render({
      name,
      label: "Delete site",
      question: `Delete ${name}?${whoLeaves}`,
      work: () => deleteSite(id),
    });
  }

  async #save(name: string): Promise<void> {
    if (!this.site) {
      await createSite({ name });
      toast(`${name} is added`);
      return;
    }
    if (name !== this.site.name) await changeSite(this.site.id, { name });
  }

  /** Why it cannot be deleted now, as far as the page knows. */
  #whyItStays({ isDefault, devices, agents }: SiteAnswer): string | undefined {
    if (isDefault) return "It came with the hub and cannot be deleted.";
    const holds = [count(devices, "device"), count(agents, "agent")].filter(Boolean).join(" and ");
    if (holds) return `It can be deleted once it is empty; it holds ${holds}.`;
    return this.shown ? "It can be deleted while the page shows another one; choose that at the top." : undefined;
  }
}

function count(number: number, thing: string): string {
  if (number === 0) return "";
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}
