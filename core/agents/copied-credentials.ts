/** What the broker tells of an agent's connection. */
export interface AgentConnection {
  readonly clientId: string;
  readonly address: string | null;
  /** The address of the connection that had to make way for it; null where there was none. */
  readonly takenFrom: string | null;
}

/** Take-overs from one address by another that tell of a copy, within this time. Milliseconds. */
const CHANGES = 3;
const CHANGES_WITHIN_MS = 10 * 60_000;
/** A copy that goes on is reported this often, and is a problem of its cluster for so long after its last sign. Milliseconds. */
const REPORT_EVERY_MS = 60 * 60_000;
const PROBLEM_FOR_MS = 24 * 60 * 60_000;

interface Uses {
  readonly open: Set<AgentConnection>;
  /** Take-overs that changed the address, oldest first. */
  changes: { readonly atMs: number; readonly from: string; readonly to: string }[];
}

/**
 * Notices when the credential of one agent is used in two places: by two clients at once, or by two that take each other's
 * connection, back and forth between their addresses.
 *
 * One that comes back takes the place of its own dead connection, and has another address after a move: that is no copy.
 */
export class CopiedCredentials {
  readonly #uses = new Map<string, Uses>();
  readonly #copied = new Map<string, { reportedAtMs: number; end: NodeJS.Timeout }>();
  readonly #listeners: ((agentId: string, addresses: readonly string[]) => void)[] = [];
  readonly #changeListeners: ((agentId: string) => void)[] = [];

  /** Calls the listener when a copy is noticed, with the addresses that use the credential. */
  onCopied(listener: (agentId: string, addresses: readonly string[]) => void): void {
    this.#listeners.push(listener);
  }

  /** Calls the listener when an agent becomes one whose credential is copied, or is one no more. */
  onChange(listener: (agentId: string) => void): void {
    this.#changeListeners.push(listener);
  }

  isCopied(agentId: string): boolean {
    return this.#copied.has(agentId);
  }

  connected(agentId: string, connection: AgentConnection, nowMs: number): void {
    let uses = this.#uses.get(agentId);
    if (!uses) this.#uses.set(agentId, (uses = { open: new Set(), changes: [] }));
    uses.open.add(connection);
    const { address: to, takenFrom: from } = connection;
    uses.changes = uses.changes.filter(({ atMs }) => nowMs - atMs < CHANGES_WITHIN_MS);
    if (from !== null && to !== null && isAnotherMachine(from, to)) uses.changes.push({ atMs: nowMs, from, to });
    if (areTwoClients(uses) || goBackAndForth(uses)) this.#noticed(agentId, uses, nowMs);
  }

  disconnected(agentId: string, connection: AgentConnection): void {
    this.#uses.get(agentId)?.open.delete(connection);
  }

  /** The agent was removed, and its credential with it. */
  forget(agentId: string): void {
    this.#uses.delete(agentId);
    this.#over(agentId);
  }

  close(): void {
    for (const { end } of this.#copied.values()) clearTimeout(end);
  }

  #noticed(agentId: string, uses: Uses, nowMs: number): void {
    const known = this.#copied.get(agentId);
    clearTimeout(known?.end);
    const end = setTimeout(() => this.#over(agentId), PROBLEM_FOR_MS);
    const isReported = known !== undefined && nowMs - known.reportedAtMs < REPORT_EVERY_MS;
    this.#copied.set(agentId, { reportedAtMs: isReported ? known.reportedAtMs : nowMs, end });
    if (!isReported) for (const listener of this.#listeners) listener(agentId, addressesOf(uses));
    if (!known) for (const listener of this.#changeListeners) listener(agentId);
  }

  #over(agentId: string): void {
    clearTimeout(this.#copied.get(agentId)?.end);
    if (!this.#copied.delete(agentId)) return;
    for (const listener of this.#changeListeners) listener(agentId);
  }
}

/** With one identifier there is one connection, as the newest takes the place of the one before. */
function areTwoClients({ open }: Uses): boolean {
  return new Set([...open].map(({ clientId }) => clientId)).size > 1;
}

/** An address came back: a machine that moves on and on has a new one each time. */
function goBackAndForth(uses: Uses): boolean {
  return uses.changes.length >= CHANGES && addressesOfChanges(uses).size < uses.changes.length;
}

/** One machine may come by IPv4 and by IPv6 in turn. */
function isAnotherMachine(from: string, to: string): boolean {
  return from !== to && from.includes(":") === to.includes(":");
}

function addressesOfChanges({ changes }: Uses): Set<string> {
  return new Set(changes.flatMap(({ from, to }) => [from, to]));
}

function addressesOf(uses: Uses): string[] {
  const open = [...uses.open].flatMap(({ address }) => address ?? []);
  return [...addressesOfChanges(uses).union(new Set(open))].toSorted();
}
