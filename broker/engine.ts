import type { Duplex } from "node:stream";
import { Aedes } from "aedes";
import type { HubPrincipal } from "#contracts/principal.ts";
import type { AccessRefusal } from "./access-policy.ts";
import { type AedesClient, type AedesInsides, noPersistence } from "./aedes-insides.ts";
import { authenticator } from "./authenticator.ts";
import type { BrokerFigures, BrokerOptions } from "./options.ts";
import { Congestion } from "./congestion.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { Connection } from "./connection.ts";
import { Exchange, messageOf } from "./exchange.ts";
import { Keeper } from "./keeper.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { limitedLog } from "./log-limit.ts";
import { Flusher } from "./outbox.ts";
import { Reason } from "./packet-rules.ts";
import { refusalOfPublish } from "./publish-rules.ts";
import { restoreBroker } from "./restore.ts";
import { RetainedStore } from "./retained-store.ts";
import { Sessions } from "./sessions.ts";
import { TopicRules } from "./topic-rules.ts";
import type { Will } from "./will.ts";

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
  const countDropped = () => void counts.droppedMessages++;
  const connectionByClient = new WeakMap<AedesClient, Connection>();
  const connections = new Set<Connection>();
  const rules = new TopicRules(options.baseTopic, options.discoveryPrefix);
  const keeper = options.store ? new Keeper({ store: options.store, policy, log: options.log }) : null;
  const retained = new RetainedStore(
    limits.retainedMessages,
    keeper && ((...change) => keeper.retainedChanged(...change)),
  );

  const exchange = new Exchange({
    policy,
    rules,
    retained,
    onRetainedFull: countDropped,
    onWillRefused: ({ principal }, topic, reason) =>
      refuse({ principal, address: null, action: "will", topic: topic.name, reason }),
  });
  const sessions = new Sessions({ limits, exchange, keeper, onDropped: countDropped });
  const context: ConnectionContext = {
    limits,
    policy,
    rules,
    exchange,
    sessions,
    retained,
    flusher: new Flusher(),
    congestion: new Congestion(),
    refuse,
    onDroppedClient: (connection) => {
      counts.droppedClients++;
      log.warn(about(connection), "dropped a client that does not read what it is sent");
    },
    onProblem: (connection, problem) => log.info({ ...about(connection), problem }, "a client broke the protocol"),
  };
  if (keeper && options.store) {
    restoreBroker(await options.store.load(), { policy, rules, exchange, sessions, retained, keeper }, Date.now());
    keeper.start(retained);
  }

  const aedes = new Aedes({
    // it is handed one packet of each connection
    concurrency: 0,
    connectTimeout: limits.connectTimeoutMs,
    drainTimeout: 0,
    persistence: noPersistence,
    maxClientsIdLength: 65_535,
  }) as unknown as AedesInsides;
  // a client may call itself `constructor`
  aedes.clients = Object.create(null) as AedesInsides["clients"];
  aedes.authenticate = authenticator({ policy, limits, log, connectionOf });
  aedes.publish = (_packet, client, done) => (typeof client === "function" ? client : done)?.();
  aedes.registerClient = register;
  aedes.unregisterClient = unregister;
  aedes.scheduleSessionExpiry = () => {};
  aedes.on("clientReady", (client: AedesClient) => connectionOf(client)?.start());
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

  function willOf(connection: Connection): Will | null {
    const { principal } = connection;
    const packet = connection.request.will;
    if (principal === null || packet === null) return null;
    const topic = rules.of(packet.topic);
    const reason = refusalOfPublish(principal, topic, messageOf(packet), policy);
    if (reason === null) return { packet, principal };
    connection.refuse("will", topic.name, reason);
    log.info(about(connection), "a Will that its client may not publish");
    return null;
  }

  /** [MQTT-3.1.4-3]: a former connection with this identifier is over before the new one begins. */
  function register(client: AedesClient): void {
    const connection = connectionOf(client);
    const principal = connection?.principal;
    if (!connection || !principal) return;
    const formerClient = aedes.clients[client.id];
    const former = formerClient && connectionOf(formerClient);
    connection.takenFrom = former?.address ?? null;
    former?.end(Reason.sessionTakenOver, "another connection has this client identifier");
    aedes.connectedClients++;
    aedes.clients[client.id] = client;
    connection.admit(principal, willOf(connection));
    if (principal.type === "hub") watchBacklog(connection);
    tell(() => policy.connected(principal, connection));
  }

  function unregister(client: AedesClient): void {
    const connection = connectionOf(client);
    const principal = connection?.principal;
    if (aedes.clients[client.id] !== client || !connection || !principal) return;
    aedes.connectedClients--;
    delete aedes.clients[client.id];
    connection.leave();
    tell(() => policy.disconnected(principal, connection));
  }

  function watchBacklog(connection: Connection): void {
    connection.outbox.onHigh = {
      bytes: limits.hubBacklogBytes,
      callback: () => context.congestion.begin((over) => connection.outbox.whenDrained(over)),
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
      for (const connection of connections)
        if (connection.principal?.id === principalId)
          connection.end(Reason.administrativeAction, "disconnected by the hub");
      sessions.endAll(`${principalId}/`);
    },
    figures: () => ({
      clients: Object.keys(aedes.clients).length,
      awaySessions: sessions.away,
      retained: retained.size,
      ...counts,
    }),
    async close() {
      // those with a Will first: the others still hear of it
      const leaving = [...connections].toSorted((a, b) => Number(b.hasWill) - Number(a.hasWill));
      for (const connection of leaving) connection.end(Reason.serverShuttingDown, "the hub stops");
      exchange.close();
      sessions.close();
      log.close();
      await new Promise<void>((resolve) => aedes.close(resolve));
      for (const connection of connections) connection.outbox.end();
      await keeper?.close();
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
