import type { Publication } from "./publication.ts";
import type { Session } from "./session.ts";
import type { Subscription } from "./subscription.ts";

/** A session that has subscribed: what messages find in the tree of filters. */
export class Listening {
  readonly session: Session;
  readonly subscription: Subscription;
  /** What topics are compared with. */
  readonly pattern: string;
  /** Whom it shares its messages with. */
  readonly group: SharedGroup | null;

  constructor(session: Session, subscription: Subscription, pattern: string, group: SharedGroup | null) {
    this.session = session;
    this.subscription = subscription;
    this.pattern = pattern;
    this.group = group;
  }
}

/**
 * The sessions that share one subscription: each message goes to one of them, in turns.
 *
 * It goes to who is there and has room, before it waits for one who has none or is away, and never to who may not read it.
 *
 * @see MQTT 5 §4.8.2
 */
export class SharedGroup {
  /** Tells it from others of the same name, whose clients have nothing to do with these. */
  readonly name: string;
  readonly members: Listening[] = [];
  #next = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Whose turn it is; null where nobody can take the message. */
  choose(publication: Publication, mayRead: (session: Session) => boolean): Listening | null {
    const { length } = this.members;
    let patient: Listening | null = null;
    for (let tries = 0; tries < length; tries++) {
      const at = (this.#next + tries) % length;
      const member = this.members[at];
      if (member === undefined) continue;
      const readiness = member.session.readiness(member.subscription, publication);
      if (readiness === "none" || !mayRead(member.session)) continue;
      if (readiness === "now") {
        this.#next = (at + 1) % length;
        return member;
      }
      patient ??= member;
    }
    if (patient !== null) this.#next = (this.members.indexOf(patient) + 1) % length;
    return patient;
  }

  remove(member: Listening): void {
    const at = this.members.indexOf(member);
    if (at < 0) return;
    this.members.splice(at, 1);
    if (at < this.#next) this.#next--;
  }
}
