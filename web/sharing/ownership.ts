import { mdiClose } from "@mdi/js";
import { type LitElement, css, html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { type Actor, type Owned, type Share, type ShareLevel, reachFor } from "#contracts/rights.ts";
import { CallError } from "../api/call.ts";
import { type NamedUser, userNames } from "../api/users.ts";
import { icon } from "../app/icon.ts";
import { changesOf } from "../form/changes.ts";
import { selectField } from "../form/fields.ts";
import type { FormState } from "../form/form-state.ts";
import { textOf, textOrNull } from "../form/values.ts";
import { userWords } from "./sharing-words.ts";

const LEVELS: readonly { value: ShareLevel; label: string }[] = [
  { value: "view", label: "View" },
  { value: "wake", label: "Wake and power down" },
];

interface Change {
  ownerId?: string | null;
  shares?: Share[];
}

/**
 * The part of a form that says whose a device or cluster is, and with whom it is shared. Who may change every thing of that
 * kind may hand it on; who sees no users sees none of this.
 */
export class Ownership {
  readonly #host: LitElement;
  readonly #form: FormState;
  readonly #kind: "device" | "cluster";
  #actor: Actor | undefined;
  #before: Owned = { ownerId: null, shares: [] };
  #shares: readonly Share[] = [];
  #users: ReadonlyMap<string, NamedUser> | undefined;
  #problem = "";

  constructor(host: LitElement, form: FormState, kind: "device" | "cluster") {
    this.#host = host;
    this.#form = form;
    this.#kind = kind;
  }

  /** Call it when the form comes on the page. @param thing undefined for a new one, which is its maker's. */
  open(actor: Actor, thing: Owned | undefined): void {
    if (!reachFor(actor, "user:read")) return;
    this.#actor = actor;
    this.#before = thing
      ? { ownerId: thing.ownerId, shares: sorted(thing.shares) }
      : { ownerId: actor.userId, shares: [] };
    this.#shares = this.#before.shares;
    void this.#readUsers();
  }

  render() {
    if (!this.#actor) return nothing;
    return html`<details>
      <summary>Owner and sharing</summary>
      <div class="fields">${this.#users ? this.#fields(this.#users) : this.#waiting()}</div>
    </details>`;
  }

  /** What a person changed here. @param now whom it is shared with by now: what others changed meanwhile is not undone. */
  changes(data: FormData, now: readonly Share[] = this.#before.shares): Change {
    if (!this.#users) return {};
    const shares = this.#shares.map(({ userId }) => ({ userId, level: textOf(data, nameOf(userId)) as ShareLevel })); // our own options
    const ownerId = this.#mayHandOn ? textOrNull(data, "ownerId") : this.#before.ownerId;
    const change: Change = changesOf(
      { ...this.#before, shares: [...this.#before.shares] },
      { ownerId, shares: sorted(shares) },
    );
    return change.shares ? { ...change, shares: merged(this.#before.shares, change.shares, now) } : change;
  }

  get #mayHandOn(): boolean {
    return this.#actor !== undefined && reachFor(this.#actor, `${this.#kind}:change`) === "any";
  }

  #waiting() {
    return this.#problem
      ? html`<p class="problem" role="alert">The accounts cannot be read: ${this.#problem}</p>`
      : html`<p class="quiet" role="status">Loading…</p>`;
  }

  #fields(users: ReadonlyMap<string, NamedUser>) {
    const { ownerId } = this.#before;
    const known = [...users].map(([value, user]) => ({ value, label: userWords(user) }));
    const owners = ownerId === null || users.has(ownerId) ? known : [...known, { value: ownerId, label: UNKNOWN }];
    return html`${
        this.#mayHandOn
          ? selectField(this.#form, {
              name: "ownerId",
              label: "Owner",
              value: ownerId ?? "",
              options: [{ value: "", label: "Nobody" }, ...owners],
              hint: "May change, share, wake and power it down; a viewer may not, whatever they own.",
            })
          : nothing
      }
      <fieldset>
        <legend>Shared with</legend>
        <p class="quiet small">
          Everybody here sees it. Sharing marks it as meant for somebody, and may let them wake it and power it down.
        </p>
        ${repeat(
          this.#shares,
          ({ userId }) => userId,
          (share) => this.#share(share, users.get(share.userId)),
        )}
        ${this.#invitation(known)}
      </fieldset>`;
  }

  #share({ userId, level }: Share, user: NamedUser | undefined) {
    const name = user ? userWords(user) : UNKNOWN;
    return html`<div class="share">
      ${selectField(this.#form, {
        name: nameOf(userId),
        label: name,
        value: level,
        options: LEVELS,
        hint: user?.role === "viewer" ? "A viewer sees it, and may not wake it whatever is chosen." : undefined,
      })}
      <button
        type="button"
        class="plain icon-only"
        aria-label="Do not share with ${name}"
        @click=${() => this.#set(this.#shares.filter((each) => each.userId !== userId))}
      >
        ${icon(mdiClose)}
      </button>
    </div>`;
  }

  #invitation(known: readonly { value: string; label: string }[]) {
    const { ownerId } = this.#before;
    const others = known.filter(
      ({ value }) => value !== ownerId && !this.#shares.some(({ userId }) => userId === value),
    );
    if (others.length === 0)
      return this.#shares.length > 0 ? nothing : html`<p class="quiet">There is nobody else.</p>`;
    return html`<select aria-label="Share with" @change=${this.#invited}>
      <option value="">Share with…</option>
      ${repeat(
        others,
        ({ value }) => value,
        ({ value, label }) => html`<option value=${value}>${label}</option>`,
      )}
    </select>`;
  }

  readonly #invited = (event: Event): void => {
    const select = event.target as HTMLSelectElement;
    const level = this.#users?.get(select.value)?.role === "viewer" ? "view" : "wake";
    this.#set([...this.#shares, { userId: select.value, level }]);
    select.value = "";
  };

  #set(shares: readonly Share[]): void {
    this.#shares = shares;
    this.#form.touch();
    this.#host.requestUpdate();
  }

  async #readUsers(): Promise<void> {
    try {
      const users = await userNames();
      this.#users = new Map(users.map((user) => [user.id, user]));
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      this.#problem = error.message;
    }
    this.#host.requestUpdate();
  }
}

const UNKNOWN = "an account that is not here";

export const ownershipStyles = css`
  .share {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto;
    align-items: start;
    gap: var(--space-2);
  }
  .share .field {
    grid-template-columns: minmax(0, 1fr) minmax(0, 15rem);
    align-items: center;
    gap: var(--space-2);
  }
  .share label {
    font-weight: 450;
    overflow-wrap: anywhere;
  }
  .share .hint {
    grid-column: 1 / -1;
  }
  @media (max-width: 30rem) {
    .share {
      align-items: end;
    }
    .share .field {
      grid-template-columns: minmax(0, 1fr);
      gap: var(--space-1);
    }
    .share select {
      order: 1; /* beside the button, whatever is to be said of it */
    }
  }
`;

function nameOf(userId: string): string {
  return `share:${userId}`;
}

function sorted(shares: readonly Share[]): Share[] {
  return shares.toSorted((one, other) => one.userId.localeCompare(other.userId));
}

/** The shares as they are now, with what a person added or changed of those of before, and without what they took away. */
function merged(before: readonly Share[], next: readonly Share[], now: readonly Share[]): Share[] {
  const levels = new Map(now.map(({ userId, level }) => [userId, level]));
  for (const { userId } of before) if (!next.some((share) => share.userId === userId)) levels.delete(userId);
  for (const { userId, level } of next)
    if (!before.some((share) => share.userId === userId && share.level === level)) levels.set(userId, level);
  return sorted([...levels].map(([userId, level]) => ({ userId, level })));
}
