import { randomUUID } from "node:crypto";
import type { Duplex } from "node:stream";
import { Aedes } from "aedes";
import type { HubPrincipal, Principal } from "#contracts/principal.ts";
import type { AccessRefusal } from "./access-policy.ts";
import type { AedesClient, AedesConnect, AedesInsides, AedesPublish } from "./aedes-insides.ts";
import { authenticator } from "./authenticator.ts";
import type { BrokerFigures, BrokerOptions } from "./options.ts";
import { Congestion } from "./congestion.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { Connection } from "./connection.ts";
import { Exchange } from "./exchange.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { limitedLog } from "./log-limit.ts";
import { Flusher } from "./outbox.ts";
import { problemOfConnect, Reason } from "./packet-rules.ts";
import { refusalOfPublish } from "./publish-rules.ts";
import { RetainedStore } from "./retained-store.ts";
import { Sessions } from "./sessions.ts";
import { TopicRules } from "./topic-rules.ts";

export interface Origin {
  readonly address: string | null;
  readonly hub: HubPrincipal | null;
  /** Called when the client is let in, or gone. */
  readonly onSettled: () => void;
}

/** The broker without its doors: whatever stream of bytes it is given, it speaks MQTT on. */
export interface Engine {
  handle(conn: Duplex, origin: Origin): void;
  disconnect(principalId: string): void;
  figures(): BrokerFigures;
  close(): Promise<void>;
}

export async function startEngine(options: BrokerOptions): Promise<Engine> {
  const { policy } = options;
  const log = limitedLog(options.log);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const counts = { refusals: 0, droppedClients: 0, droppedMessages: 0 };
  // Aedes tells of a client's end some turns after its connection closed
  const connectionByClient = new WeakMap<AedesClient, Connection>();
  const connections = new Set<Connection>();
  const rules = new TopicRules(options.baseTopic, options.discoveryPrefix);
  const retained = new RetainedStore(limits.retainedMessages);
  const congestion = new Congestion();

  const exchange = new Exchange({
    policy,
    rules,
    retained,
    onRetainedFull: () => {
      counts.droppedMessages++;
    },
  });
  const sessions = new Sessions({
    limits,
    exchange,
    onDropped: () => {
      counts.droppedMessages++;
    },
  });
  const context: ConnectionContext = {
    limits,
    policy,
    rules,
    exchange,
    sessions,
    retained,
    flusher: new Flusher(),
    congestion,
    refuse,
    onDroppedClient: (connection) => {
      counts.droppedClients++;
      log.warn(about(connection), "dropped a client that does not read what it is sent");
    },
    onDroppedMessage: () => {
      counts.droppedMessages++;
    },
    onProblem: (connection, problem) => log.info({ ...about(connection), problem }, "a client broke the protocol"),
  };

  const aedes = new Aedes({
    // the default bounds messages in work, and shifts a long array once that is reached
    concurrency: 0,
    connectTimeout: limits.connectTimeoutMs,
    // output is bounded by the outbox, and nobody waits for a reader
    drainTimeout: 0,
    persistence: sessions,
    // both are checked while reading; here they are for CONNACK
    maximumPacketSize: limits.packetBytes,
    receiveMaximum: limits.awaitingPubrel,
    maxClientsIdLength: 65_535,
    sessionExpiryIntervalLimit: limits.sessionSeconds,
    pendingSessionsLimit: limits.sessions,
  }) as unknown as AedesInsides;
  exchange.useBroker(aedes);
  // a client may call itself `constructor`
  aedes.clients = Object.create(null) as AedesInsides["clients"];
  aedes.preConnect = preConnect;
  aedes.authenticate = authenticator({ policy, limits, log, connectionOf, holderOf, onWill: checkWill });
  aedes.authorizePublish = authorizeWill;
  aedes.publish = publish;
  // granted filters are put into the matcher by their connection
  aedes.subscribe = (_filter, _deliver, done) => setImmediate(done);
  endSessionsOfAllVersions(aedes);
  aedes.on("client", onRegistered);
  aedes.on("clientReady", (client: AedesClient) => connectionOf(client)?.start());
  aedes.on("clientDisconnect", onGone);
  await aedes.listen();

  function handle(conn: Duplex, origin: Origin): void {
    const client = aedes.handle(conn);
    const connection = new Connection(client, conn, origin, context);
    connectionByClient.set(client, connection);
    connections.add(connection);
    connection.onAdmitted = origin.onSettled;
    conn.once("close", () => {
      connections.delete(connection);
      origin.onSettled();
    });
  }

  function connectionOf(client: AedesClient): Connection | undefined {
    return connectionByClient.get(client);
  }

  function holderOf(id: string): Connection | undefined {
    const client = aedes.clients[id];
    return client && connectionOf(client);
  }

  function preConnect(
    client: AedesClient,
    packet: AedesConnect,
    done: (error: Error | null, ok: boolean) => void,
  ): void {
    const connection = connectionOf(client);
    const problem = problemOfConnect(packet);
    if (!connection || problem !== null) {
      connection?.fail(Reason.protocolError, problem ?? "gone");
      return done(null, false);
    }
    connection.clientId = packet.clientId || `pb-${randomUUID()}`;
    connection.isIdAssigned = packet.clientId === "";
    connection.keepAliveSeconds = packet.keepalive;
    done(null, true);
  }

  function checkWill(connection: Connection, principal: Principal, will: AedesPublish): boolean {
    const isAllowed = isWillAllowed(connection, principal, will);
    if (!isAllowed) log.info(about(connection), "a Will that its client may not publish");
    return isAllowed;
  }

  function authorizeWill(client: AedesClient | null, will: AedesPublish, done: (error?: Error | null) => void): void {
    const connection = client ? connectionOf(client) : undefined;
    const principal = connection?.principal;
    if (connection && principal && isWillAllowed(connection, principal, will)) done();
    else done(new Error("refused"));
  }

  function isWillAllowed(connection: Connection, principal: Principal, will: AedesPublish): boolean {
    const topic = rules.of(will.topic);
    const payload = Buffer.isBuffer(will.payload) ? will.payload : Buffer.from(will.payload);
    const reason = refusalOfPublish(principal, topic, { payload, retain: will.retain }, policy);
    if (reason !== null) connection.refuse("will", topic.name, reason);
    return reason === null;
  }

  /** What Aedes publishes: Wills, and news of itself under `$SYS` for other brokers, of which there are none. */
  function publish(packet: AedesPublish, client: AedesClient | null | (() => void), done?: () => void): void {
    const publisher = typeof client === "function" || client === null ? undefined : connectionOf(client)?.principal;
    if (publisher) exchange.publish(packet, client as AedesClient, publisher);
    (typeof client === "function" ? client : done)?.();
  }

  function onRegistered(client: AedesClient): void {
    const connection = connectionOf(client);
    const principal = connection?.principal;
    if (!connection || !principal) return;
    connection.admit(principal);
    if (principal.type === "hub") watchBacklog(connection);
    tell(() => policy.connected(principal, connection));
  }

  function onGone(client: AedesClient): void {
    const connection = connectionOf(client);
    const principal = connection?.principal;
    if (!connection || !principal) return;
    if (!client.clean) sessions.away(client.id);
    tell(() => policy.disconnected(principal, connection));
  }

  function watchBacklog(connection: Connection): void {
    connection.outbox.onHigh = {
      bytes: limits.hubBacklogBytes,
      callback: () => congestion.begin((over) => connection.outbox.whenDrained(over)),
    };
  }

  function refuse(refusal: AccessRefusal): void {
    counts.refusals++;
    tell(() => policy.refused(refusal));
  }

  /** What the hub does with news must not break the connection it is about. */
  function tell(news: () => void): void {
    try {
      news();
    } catch (error) {
      log.warn({ err: error }, "the access policy failed");
    }
  }

  return {
    handle,
    disconnect(principalId) {
      for (const connection of connections) {
        if (connection.principal?.id !== principalId) continue;
        connection.forgetWill(); // what a revoked credential still wished for is not done
        connection.end(Reason.administrativeAction, "disconnected by the hub");
      }
      sessions.dropAll(`${principalId}/`);
    },
    figures: () => ({
      clients: Object.keys(aedes.clients).length,
      retained: retained.size,
      ...counts,
    }),
    async close() {
      log.close();
      await new Promise<void>((resolve) => aedes.close(resolve));
      for (const connection of connections) connection.outbox.end();
    },
  };
}

function about(connection: Connection) {
  return {
    client: connection.clientId,
    username: connection.principal?.username ?? null,
    address: connection.address,
  };
}

/** Aedes ends lasting sessions of MQTT 5 only, and keeps those of 3.1.1 for ever. */
function endSessionsOfAllVersions(aedes: AedesInsides): void {
  const schedule = aedes.scheduleSessionExpiry.bind(aedes);
  aedes.scheduleSessionExpiry = (client) => {
    const { version } = client;
    client.version = 5;
    schedule(client);
    client.version = version;
  };
}
