import type { Logger } from "pino";
import { networkOf } from "#contracts/network.ts";
import { PERSON_MARK, type MqttCredentials as ShownCredentials, type Principal } from "#contracts/principal.ts";
import type { AccessPolicy, AccessRefusal, Place, PlaceDirectory } from "../broker/access-policy.ts";
import { type Broker, startBroker } from "../broker/broker.ts";
import type { CopiedCredentials } from "./agents/copied-credentials.ts";
import type { AgentCredentials } from "./agents/credentials.ts";
import type { Audit } from "./audit/audit.service.ts";
import { TokenConnections } from "./auth/token-connections.ts";
import { type Tokens, tokenActorName } from "./auth/tokens.ts";
import { createBrokerStore } from "./broker-store/broker-store.ts";
import type { Config } from "./config.ts";
import { Allowance } from "./kernel/allowance.ts";
import type { Database } from "./kernel/database.ts";
import { NOT_TOLD } from "./kernel/link-message.ts";
import type { Sender } from "./kernel/link.ts";
import { StartError } from "./kernel/start-error.ts";
import type { Trail, TrailSource } from "./kernel/trail.ts";
import type { Directory } from "./members/directory.ts";
import type { ClientUses } from "./mqtt-clients/client-uses.ts";
import type { Schedules } from "./schedules/schedules.ts";
import type { MqttCredentials } from "./mqtt-clients/mqtt-credentials.ts";
import type { Requester } from "./requests/rights.ts";

export interface EmbeddedBrokerOptions {
  readonly database: Database;
  readonly directory: Directory;
  readonly schedules: Schedules;
  readonly agents: AgentCredentials;
  readonly clients: MqttCredentials;
  readonly tokens: Tokens;
  readonly uses: ClientUses;
  readonly copies: CopiedCredentials;
  readonly audit: Audit;
  readonly clusterOfDiscovery: (objectId: string) => Place | undefined;
  /** Called besides the row in the audit log. */
  readonly onRefused: (refusal: AccessRefusal, sender: Sender) => void;
  readonly log: Logger;
}

export type PlaceSources = Pick<EmbeddedBrokerOptions, "directory" | "schedules" | "clusterOfDiscovery">;
export type DoorOptions = Pick<EmbeddedBrokerOptions, "agents" | "clients" | "tokens" | "audit" | "directory">;

/** Who is refused again and again stands in the audit log so often, and no site fills it for the others. The broker counts all. */
const NOTED_OF_CLIENT = { each: 10, all: 600, periodMs: 60_000 };
const NOTED_OF_SITE = { each: 60, all: 600, periodMs: 60_000 };

/** Starts the hub's own broker as the settings say. @throws StartError with a sentence for the operator. */
export async function openBroker(config: Config, options: EmbeddedBrokerOptions): Promise<Broker> {
  const { host, port, tls, baseTopic, discoveryPrefix } = config.mqtt;
  const { tokens, log } = options;
  let broker: Broker | undefined;
  const persons = new TokenConnections({
    isGood: (id) => tokens.actorOf(id, new Date()) !== undefined,
    disconnect: (id) => broker?.disconnect(id),
  });
  const policy = policyOf(options, persons);
  try {
    const store = createBrokerStore(options.database);
    const started = await startBroker({ baseTopic, discoveryPrefix, tcp: { host, port }, tls, policy, log, store });
    broker = started;
    const close = async () => {
      persons.close();
      await started.close();
    };
    return { ...started, close };
  } catch (error) {
    persons.close();
    throw new StartError(sentenceOf(error as { code?: string; port?: number; message: string }, port), {
      cause: error,
    });
  }
}

function sentenceOf(
  { code, port, message }: { code?: string; port?: number; message: string },
  wanted: number,
): string {
  const name = `The MQTT port ${port ?? wanted}`;
  if (code === "EADDRINUSE")
    return `${name} is taken by another program. Set MQTT_PORT (and MQTT_TLS_PORT) to free ones.`;
  if (code === "EACCES") return `${name} may not be opened by this user. Set MQTT_PORT to one above 1023.`;
  return `The MQTT broker could not be started: ${message}`;
}

/** Who may connect, where each thing lies, and what becomes of connections and refusals. */
function policyOf(options: EmbeddedBrokerOptions, persons: TokenConnections): AccessPolicy {
  const { directory, uses, copies } = options;
  const refusals = { ofClient: new Allowance(NOTED_OF_CLIENT), ofSite: new Allowance(NOTED_OF_SITE) };
  const letIn = doorkeeper(options);
  directory.onChange((change) => {
    if (change.type === "agent" && change.before && !change.after) copies.forget(change.before.id);
  });
  copies.onCopied((id, addresses) => noteCopy(id, addresses, options));
  return {
    authenticate: (shown) => {
      const principal = letIn(shown);
      return principal ? { ok: true, principal } : { ok: false, reason: "bad-credentials" };
    },
    principal: (id) => options.agents.byId(id) ?? options.clients.byId(id) ?? options.tokens.personOf(id),
    ...placesOf(options),
    connected: ({ type, id }, connection) => {
      if (type === "integration") uses.connected(id, connection, new Date());
      if (type === "agent") copies.connected(id, connection, performance.now());
      if (type === "person") persons.connected(id);
    },
    disconnected: ({ type, id }, connection) => {
      if (type === "integration") uses.disconnected(id, connection, new Date());
      if (type === "agent") copies.disconnected(id, connection);
      if (type === "person") persons.disconnected(id);
    },
    refused: (refusal) => {
      const sender = senderOf(refusal.principal, directory);
      const now = performance.now();
      if (refusals.ofClient.take(refusal.principal.id, now) && refusals.ofSite.take(sender.siteId ?? "", now))
        noteRefusal(refusal, sender, options);
      options.onRefused(refusal, sender);
    },
  };
}

/** Where each thing lies. */
export function placesOf({ directory, schedules, clusterOfDiscovery }: PlaceSources): PlaceDirectory {
  const clusterOf = (member: { readonly clusterId: string } | undefined) => member && directory.clusterOf(member);
  return {
    cluster: (key) => directory.clusters.byKey(key),
    clusterOfDevice: (key) => clusterOf(directory.devices.byKey(key)),
    clusterOfAgent: (key) => clusterOf(directory.agents.byKey(key)),
    siteOfSchedule: (key) => {
      const schedule = schedules.byKey(key);
      return schedule && { key: null, siteId: schedule.siteId };
    },
    clusterOfDiscovery,
  };
}

/** Tells who it is that shows a credential; null where nobody has that. The audit log hears of those, not of all that often. */
export function doorkeeper(options: DoorOptions): (shown: ShownCredentials) => Principal | null {
  const logins = new Allowance(NOTED_OF_CLIENT);
  return (shown) => {
    const principal = principalOf(shown, options);
    if (!principal && logins.take(networkOf(shown.address ?? ""), performance.now())) noteLogin(shown, options);
    return principal;
  };
}

/** A person shows a personal token; the other names are those of agents and integrations. */
function principalOf(
  { username, password, address }: ShownCredentials,
  { agents, clients, tokens }: DoorOptions,
): Principal | null {
  if (username === null || password === null) return null;
  if (username.startsWith(PERSON_MARK)) return tokens.principalOf(username, password, address);
  return agents.authenticate(username, password) ?? clients.authenticate(username, password) ?? null;
}

function senderOf(principal: Principal, directory: Directory): Sender {
  const { type, id, username } = principal;
  const siteId = "siteId" in principal ? principal.siteId : directory.agents.byId(id)?.siteId;
  return { by: username, siteId: siteId ?? null, tokenId: type === "person" ? id : null };
}

/** The audit log under the name of an MQTT client that sent a message. */
export function trailOfSender(
  sender: Sender,
  options: Pick<EmbeddedBrokerOptions, "audit" | "clients" | "uses" | "tokens">,
): Trail {
  const { by, siteId, tokenId } = sender;
  if (tokenId !== null) {
    const token = options.tokens.byId(tokenId);
    const name = by.replace(PERSON_MARK, "");
    const actor = actorOf("token", tokenId, token ? tokenActorName(name, token) : name);
    return options.audit.trail({ siteId, actor, address: token?.lastAddress ?? null, requestId: null });
  }
  const id = options.clients.byUsername(by)?.id ?? null;
  const address = (id !== null && options.uses.of(id, new Date())?.lastAddress) || null;
  return options.audit.trail({ siteId, actor: actorOf("mqtt-client", id, by), address, requestId: null });
}

/** Who sent an MQTT message, as far as rights go. */
export function requesterOf(
  { by, siteId, tokenId }: Sender,
  { tokens, clients }: Pick<EmbeddedBrokerOptions, "clients" | "tokens">,
): Requester {
  if (siteId === null) return { type: by === NOT_TOLD ? "anyone" : "nobody" };
  if (tokenId !== null) {
    const actor = tokens.actorOf(tokenId, new Date());
    return actor ? { type: "person", siteId, actor } : { type: "nobody" };
  }
  return clients.byUsername(by) ?? { type: "nobody" };
}

function noteRefusal(
  { principal, address, action, topic, reason }: AccessRefusal,
  { siteId }: Sender,
  { audit, directory, tokens }: EmbeddedBrokerOptions,
): void {
  const { id, username } = principal;
  const token = principal.type === "person" ? tokens.byId(id) : undefined;
  const type = principal.type === "person" ? "token" : principal.type === "agent" ? "agent" : "mqtt-client";
  const name = token
    ? tokenActorName(username.replace(PERSON_MARK, ""), token)
    : (directory.agents.byId(id)?.key ?? username);
  audit.trail({ siteId, actor: actorOf(type, id, name), address, requestId: null }).note({
    action: "request.refused",
    result: "refused",
    reason: "FORBIDDEN",
    details: { action, topic, why: reason },
  });
}

/** In the chain of the site whose credential somebody seems to try. */
function noteLogin(
  { username, clientId, address }: ShownCredentials,
  { audit, clients, directory }: DoorOptions,
): void {
  const owner = username === null ? undefined : (clients.byUsername(username) ?? directory.agents.byId(username));
  audit
    .trail({ siteId: owner?.siteId ?? null, actor: actorOf("stranger", null, username), address, requestId: null })
    .note({
      action: "session.login",
      result: "refused",
      reason: "BAD_CREDENTIALS",
      details: { door: "mqtt", clientId },
    });
}

function noteCopy(id: string, addresses: readonly string[], { audit, directory }: EmbeddedBrokerOptions): void {
  const agent = directory.agents.byId(id);
  if (!agent) return;
  audit
    .trail({ siteId: agent.siteId, actor: actorOf("agent", id, agent.key), address: null, requestId: null })
    .note({ action: "agent.copied", target: { type: "agent", id, name: agent.name }, details: { addresses } });
}

function actorOf(type: TrailSource["actor"]["type"], id: string | null, username: string | null): TrailSource["actor"] {
  return { type, id, name: username?.startsWith(PERSON_MARK) ? username.slice(PERSON_MARK.length) : username };
}
