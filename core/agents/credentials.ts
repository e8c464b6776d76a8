import type { EntityManager } from "@mikro-orm/postgresql";
import type { AgentPrincipal } from "#contracts/principal.ts";
import { Key } from "#contracts/key.ts";
import type { Directory, DirectoryAgent } from "../members/directory.ts";
import { Agent } from "./agent.entity.ts";
import { equalHashes, hashToken } from "../kernel/tokens.ts";

/** What the hub keeps of a token. */
interface KeptToken {
  readonly tokenHash: string;
  /** Null where the agent joined before there was one. */
  readonly mosquittoHash: string | null;
}

type Credential = KeptToken & { readonly principal: AgentPrincipal };

/**
 * The agents' MQTT credentials in memory: user name = the agent's id, password = its token.
 *
 * The principal that the broker got stays the same object while the agent lives, so a move to another cluster takes effect at once.
 */
export class AgentCredentials {
  readonly #byUsername = new Map<string, Credential>();
  readonly #directory: Directory;

  constructor(directory: Directory) {
    this.#directory = directory;
    directory.onChange((change) => {
      if (change.type !== "agent") return;
      if (change.after) this.#move(change.after);
      else if (change.before) this.#byUsername.delete(change.before.id);
    });
  }

  all(): Iterable<Credential> {
    return this.#byUsername.values();
  }

  byUsername(username: string): AgentPrincipal | undefined {
    return this.#byUsername.get(username)?.principal;
  }

  add(agent: DirectoryAgent, { tokenHash, mosquittoHash }: KeptToken): void {
    this.#byUsername.set(agent.id, {
      tokenHash,
      mosquittoHash,
      principal: {
        type: "agent",
        id: agent.id,
        username: agent.id,
        key: Key.parse(agent.key),
        cluster: this.#clusterKey(agent),
      },
    });
  }

  byId(id: string): AgentPrincipal | undefined {
    return this.#byUsername.get(id)?.principal;
  }

  /** Undefined when nobody has this user name; null when the password is wrong. */
  authenticate(username: string, password: Buffer): AgentPrincipal | null | undefined {
    const credential = this.#byUsername.get(username);
    if (!credential) return undefined;
    return equalHashes(credential.tokenHash, hashToken(password)) ? credential.principal : null;
  }

  #move(agent: DirectoryAgent): void {
    const credential = this.#byUsername.get(agent.id);
    if (credential) credential.principal.cluster = this.#clusterKey(agent);
  }

  #clusterKey(agent: DirectoryAgent): Key {
    return Key.parse(this.#directory.clusterOf(agent).key);
  }
}

/** Reads the credentials of all sites once, at the start. */
export async function loadAgentCredentials(em: EntityManager, directory: Directory): Promise<AgentCredentials> {
  const credentials = new AgentCredentials(directory);
  for (const row of await em.find(Agent, {}, { filters: { site: false } })) {
    const agent = directory.agents.byId(row.id);
    const { tokenHash, mosquittoHash = null } = row;
    if (agent) credentials.add(agent, { tokenHash, mosquittoHash });
  }
  return credentials;
}
