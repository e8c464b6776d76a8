import type { ReactiveControllerHost } from "lit";
import type { Login, MeAnswer, MeChange } from "#contracts/api/accounts.ts";
import type { Actor, Permission } from "#contracts/rights.ts";
import { logIn } from "../api/accounts.ts";
import { CallError } from "../api/call.ts";
import { changeMe, whoAmI } from "../api/me.ts";
import { chosenSite, forgetSite } from "../api/site.ts";
import { actorOf } from "../live/actor.ts";
import { StoreController } from "../live/store-controller.ts";

/**
 * Who is logged in, and what the account may do in the site that the page shows. It offers what the hub would not refuse; the
 * hub decides.
 *
 * @fires change
 */
export class SessionStore extends EventTarget {
  /** The account; undefined until it is known, and when nobody is logged in. */
  me: MeAnswer | undefined;

  /** @returns who is logged in; undefined when nobody is. What was known of somebody stays until somebody else is known. */
  async load(): Promise<MeAnswer | undefined> {
    const me = await whoAmIHere();
    if (me) this.#set(me);
    return me;
  }

  /** @throws CallError naming the field that the hub refuses. */
  async change(change: MeChange): Promise<void> {
    this.#set(await changeMe(change));
  }

  async logIn(input: Login): Promise<void> {
    await logIn(input);
    if (await this.load()) return;
    throw new CallError("UNAUTHENTICATED", "The browser kept no session. Allow cookies for this page, then try again.");
  }

  /** What one account chose is not for the next one. */
  forget(): void {
    forgetSite();
    this.#set(undefined);
  }

  may(permission: Permission): boolean {
    return this.me?.permissions.includes(permission) ?? false;
  }

  /** As the rules about single devices and clusters ask for it. */
  get actor(): Actor {
    return actorOf(this.me);
  }

  #set(me: MeAnswer | undefined): void {
    this.me = me;
    this.dispatchEvent(new Event("change"));
  }
}

/** The one session of the page. */
export const session = new SessionStore();

/** Renders its element anew when the account or its rights change. */
export class Session extends StoreController<SessionStore> {
  constructor(host: ReactiveControllerHost, store: SessionStore = session) {
    super(host, store);
  }
}

/** A site that was chosen earlier may be gone, or closed to the account: then its first one counts again. */
async function whoAmIHere(): Promise<MeAnswer | undefined> {
  try {
    return await whoAmI();
  } catch (error) {
    if (chosenSite() === null || !(error instanceof CallError && error.code === "NO_SITE")) throw error;
    forgetSite();
    return await whoAmI();
  }
}
