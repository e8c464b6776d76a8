import type { BrokerVerdict } from "#contracts/api/mqtt-auth.ts";
import { type MqttCredentials, PERSON_MARK, type PersonPrincipal, type Principal } from "#contracts/principal.ts";
import { equalHashes, hashToken } from "../kernel/tokens.ts";

/** What the rules of the embedded broker say. This part does not know them, so they are handed in. */
export interface AccessRules {
  /** Whether it may publish there, as far as that can be told without the payload. */
  readonly mayPublish: (principal: Principal, topic: string, retain: boolean) => boolean;
  /** Whether it may read a message there. */
  readonly mayRead: (principal: Principal, topic: string) => boolean;
  /** Whether it may hold this filter, where each message is asked about before it is forwarded. */
  readonly maySubscribe: (principal: Principal, filter: string) => boolean;
  /** Whether it may read all that this filter will ever match. */
  readonly mayReadAll: (principal: Principal, filter: string) => boolean;
}

export interface BrokerDoorOptions {
  /** What the hub shows there; null where it shows nothing. */
  readonly hub: { readonly username: string; readonly password: string | null } | null;
  /** What the hub's own topics begin with. */
  readonly hubTopics: readonly string[];
  readonly rules: AccessRules;
  /** Who shows these; null where nobody has them. */
  readonly letIn: (shown: MqttCredentials) => Principal | null;
  /** An agent or integration. */
  readonly byUsername: (username: string) => Principal | undefined;
  /** Whether a client id is an agent's, or the hub's own. */
  readonly isKept: (clientId: string) => boolean;
}

export interface ShownToBroker {
  readonly username: string | null;
  readonly password: string | null;
  readonly clientId: string;
  readonly address: string | null;
}

/** What a broker asks about. `hold` = a filter whose messages it asks about, too; `hold unasked` = one that it does not look at again. */
export type Action = "publish" | "read" | "hold" | "hold unasked";

export interface Question {
  readonly username: string | null;
  readonly clientId: string;
  readonly topic: string;
  readonly action: Action;
  /** Null where the broker does not tell. */
  readonly retain: boolean | null;
}

/** So many are remembered. About persons brokers ask by user name and client id alone. */
const MAX_REMEMBERED = 20_000;

/** Tells a broker of somebody else's who may come in and do what. */
export class BrokerDoor {
  readonly #options: BrokerDoorOptions;
  readonly #persons = new Map<string, PersonPrincipal>();
  /** Who was let in stays the hub's when the credential is revoked: nobody else in the broker's chain is to decide then. */
  readonly #names = new Set<string>();

  constructor(options: BrokerDoorOptions) {
    this.#options = options;
  }

  isHub(username: string | null): boolean {
    return username !== null && username === this.#options.hub?.username;
  }

  authenticate({ username, password, clientId, address }: ShownToBroker): BrokerVerdict {
    const { hub, letIn, isKept } = this.#options;
    // on a broker of somebody else's, whoever comes with a client id takes the connection of who has it over
    if (isKept(clientId) && clientId !== username && !this.isHub(username)) return "deny";
    if (username === null || !this.#isOurs(username)) return "ignore";
    if (password === null) return "deny";
    if (this.isHub(username)) return isSame(password, hub?.password ?? null) ? "allow" : "deny";
    const principal = letIn({ clientId, username, password: Buffer.from(password), address, protocolVersion: 5 });
    if (principal) this.#noteName(username);
    if (principal?.type === "person") this.#remember(username, clientId, principal);
    return principal ? "allow" : "deny";
  }

  authorize({ username, clientId, topic, action, retain }: Question): BrokerVerdict {
    const { hubTopics } = this.#options;
    if (username === null || !this.#isOurs(username)) return "ignore";
    if (this.isHub(username)) return hubTopics.some((beginning) => topic.startsWith(beginning)) ? "allow" : "deny";
    const principal = this.#options.byUsername(username) ?? this.#persons.get(personKey(username, clientId));
    return principal && this.#may(principal, topic, action, retain) ? "allow" : "deny";
  }

  #may(principal: Principal, topic: string, action: Action, retain: boolean | null): boolean {
    const { rules } = this.#options;
    switch (action) {
      case "publish":
        return (retain === null ? [false, true] : [retain]).some((flag) => rules.mayPublish(principal, topic, flag));
      case "read":
        return rules.mayRead(principal, topic);
      case "hold":
        return rules.maySubscribe(principal, topic);
      case "hold unasked":
        return rules.mayReadAll(principal, topic);
    }
  }

  /** A name that begins like a person's is never anybody else's. */
  #isOurs(username: string): boolean {
    if (this.isHub(username) || username.startsWith(PERSON_MARK)) return true;
    return this.#names.has(username) || this.#options.byUsername(username) !== undefined;
  }

  #noteName(username: string): void {
    if (this.#names.size >= MAX_REMEMBERED) this.#names.clear();
    this.#names.add(username);
  }

  #remember(username: string, clientId: string, person: PersonPrincipal): void {
    const key = personKey(username, clientId);
    this.#persons.delete(key);
    this.#persons.set(key, person);
    if (this.#persons.size <= MAX_REMEMBERED) return;
    const [oldest] = this.#persons.keys();
    if (oldest !== undefined) this.#persons.delete(oldest);
  }
}

function personKey(username: string, clientId: string): string {
  return `${username.toLowerCase()}\0${clientId}`;
}

function isSame(shown: string, expected: string | null): boolean {
  return expected !== null && equalHashes(hashToken(shown), hashToken(expected));
}
