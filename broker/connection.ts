import type { Duplex } from "node:stream";
import type { Packet } from "mqtt-packet";
import type { HubPrincipal, Principal } from "#contracts/principal.ts";
import type { AccessRefusal, ClientConnection } from "./access-policy.ts";
import type { AedesClient, AedesPublish, DeliverFunction, LiveSubscription } from "./aedes-insides.ts";
import { conduit } from "./conduit.ts";
import { type ConnectionContext, outputLimit } from "./connection-context.ts";
import { Inlet } from "./inlet.ts";
import { Outbox } from "./outbox.ts";
import { OutgoingQueue } from "./outgoing-queue.ts";
import { lacksIdentifier, problemOfProperties, problemOfTopicName, Reason } from "./packet-rules.ts";
import { refusalOfPublish } from "./publish-rules.ts";
import { refusalOfResponseTopic } from "./read-rules.ts";
import type { Session } from "./sessions.ts";
import { Subscriber } from "./subscriber.ts";
import { answerSubscribe } from "./subscribe.ts";

/** Packet types, as the first byte says them. MQTT 5 §2.1.2 */
const PUBACK = 0x40;
const PUBREC = 0x50;
const PUBCOMP = 0x70;

/** One client's connection: its packets in, its messages out, its rights. */
export class Connection implements ClientConnection {
  readonly client: AedesClient;
  readonly address: string | null;
  readonly outbox: Outbox;
  /** Set for the hub's link, which needs no credentials. */
  readonly hub: HubPrincipal | null;
  /** What the client calls itself. */
  clientId = "";
  /** Whether it left the choice to us. MQTT 5 §3.1.3.1 */
  isIdAssigned = false;
  takenFrom: string | null = null;
  /** As asked for in CONNECT; 0 for none. */
  keepAliveSeconds = 0;
  /** Called when the client is let in. */
  onAdmitted: () => void = () => {};
  /** The one who was let in. */
  principal: Principal | null = null;
  subscriber: Subscriber | null = null;
  readonly #context: ConnectionContext;
  readonly #inlet: Inlet;
  /** The filters it has or is about to have: Aedes knows of one only some turns after it was asked for. */
  readonly filters = new Set<string>();
  readonly #early: Packet[] = [];
  readonly #handToAedes: (packet: Packet) => void;
  readonly #listening = new WeakSet<LiveSubscription>();
  #awaitingPubrel = new Set<number>();
  #hasConnect = false;
  #isEnding = false;

  constructor(
    client: AedesClient,
    conn: Duplex,
    origin: { readonly address: string | null; readonly hub: HubPrincipal | null },
    context: ConnectionContext,
  ) {
    this.client = client;
    this.address = origin.address;
    this.hub = origin.hub;
    this.#context = context;
    this.outbox = new Outbox(conn, context.flusher, context.limits.outputBytesAgent, () => this.#dropForBacklog());
    client.conn = conduit(conn, this.outbox);
    // names that every object has would be found in Aedes' plain objects, and end the process
    client.subscriptions = Object.create(null) as AedesClient["subscriptions"];
    client.duplicates = Object.create(null) as AedesClient["duplicates"];
    // what a session is owed is kept by our own store, and forgotten with it
    client.emptyOutgoingQueue = (done) => done();
    const enqueue = client._parser.listeners("packet")[0] as (this: AedesClient["_parser"], packet: Packet) => void;
    this.#handToAedes = (packet) => {
      client._parsingBatch = 0;
      enqueue.call(client._parser, packet);
    };
    this.#inlet = new Inlet({
      conn,
      client,
      packetTimeoutMs: context.limits.packetTimeoutMs,
      packetBytes: () => {
        if (origin.hub !== null) return Number.POSITIVE_INFINITY; // the hub checks what it publishes itself
        return client.connected ? context.limits.packetBytes : context.limits.packetBytesBeforeConnack;
      },
      congestion: origin.hub === null ? context.congestion : NEVER_CONGESTED,
      isOpen: () => client.connected || !this.#hasConnect,
      onPacket: (packet) => this.#take(packet),
      onProblem: (reason, problem) => this.fail(reason, problem),
    });
  }

  forgetWill(): void {
    this.client._will = null;
  }

  get protocolVersion(): 3 | 4 | 5 {
    return this.client.version ?? 4;
  }

  refuse(action: AccessRefusal["action"], topic: string, reason: string): void {
    const { principal, address } = this;
    if (principal !== null) this.#context.refuse({ principal, address, action, topic, reason });
  }

  /** Ends the connection because the client broke the protocol. Its Will is published. */
  fail(reason: number, problem: string): void {
    if (this.#isEnding) return;
    this.#context.onProblem(this, problem);
    this.end(reason, problem);
  }

  /** Ends the connection, with the reason where the client's version has reasons. */
  end(reason: number, problem: string): void {
    this.#isEnding = true;
    this.#inlet.stop();
    if (this.client.version === 5 && this.client.connected) this.client.disconnect({ reasonCode: reason });
    else this.client.emit("error", new Error(problem));
  }

  /** Aedes has registered the client: its session and its rights are known. */
  admit(principal: Principal): void {
    const { client } = this;
    const { limits, sessions } = this.#context;
    // MQTT 5 can resume a session and let it end with this connection
    const isLasting = !client.clean || sessions.has(client.id);
    const session: Session | null = isLasting ? sessions.open(client.id, principal) : null;
    if (session) this.#awaitingPubrel = session.awaitingPubrel;
    this.outbox.limit = outputLimit(principal, limits);
    const hasWindow = client.receiveMaximum < 65_535;
    const queue =
      session?.queue ?? (hasWindow ? new OutgoingQueue(limits, () => this.#context.onDroppedMessage()) : null);
    this.subscriber = new Subscriber({
      client,
      outbox: this.outbox,
      protocolVersion: this.protocolVersion,
      isHub: principal.type === "hub",
      queue,
      mayRead: (publication) => this.#context.exchange.mayRead(principal, publication),
    });
    for (const filter of Object.keys(client.subscriptions)) this.listen(filter);
  }

  /** Puts a subscription that Aedes has granted or restored into the matcher, once. */
  listen(filter: string): void {
    const subscription = this.client.subscriptions[filter];
    if (subscription === undefined || this.#listening.has(subscription)) return;
    this.#listening.add(subscription);
    subscription.func = this.#deliverTo(filter, subscription);
    this.#context.exchange.listen(filter, subscription.func);
  }

  /** CONNACK is on its way: what waited goes out and comes in. */
  start(): void {
    for (const filter of Object.keys(this.client.subscriptions)) this.filters.add(filter);
    this.subscriber?.start();
    for (const packet of this.#early.splice(0)) if (!this.#isEnding) this.#dispatch(packet);
    this.#inlet.pull();
  }

  #take(packet: Packet): void {
    if (this.#isEnding) return;
    if (this.client.connected) return this.#dispatch(packet);
    if (!this.#hasConnect) {
      if (packet.cmd !== "connect") return this.fail(Reason.protocolError, "the first packet is no CONNECT");
      this.#hasConnect = true;
      this.#handToAedes(packet);
      return;
    }
    // MQTT 5 §3.1.4: a client need not wait for CONNACK
    if (this.#early.push(packet) > this.#context.limits.packetsBeforeConnack)
      this.fail(Reason.quotaExceeded, "too many packets before CONNACK");
  }

  #dispatch(packet: Packet): void {
    const problem = problemOfProperties(packet.cmd, "properties" in packet ? packet.properties : undefined);
    if (problem !== null) return this.fail(Reason.protocolError, problem);
    switch (packet.cmd) {
      case "publish":
        return this.#onPublish(packet as unknown as AedesPublish);
      case "puback":
        return this.subscriber?.acknowledge(packet.messageId ?? 0);
      case "pubrel":
        return this.#onPubrel(packet.messageId ?? 0);
      case "pubrec":
      case "pubcomp":
        return; // nothing leaves here with QoS 2
      case "subscribe":
        if (lacksIdentifier(packet)) return this.fail(Reason.protocolError, "packet identifier 0");
        return answerSubscribe(this, packet, this.#context);
      case "unsubscribe":
        if (lacksIdentifier(packet)) return this.fail(Reason.protocolError, "packet identifier 0");
        for (const filter of packet.unsubscriptions) this.filters.delete(filter);
        return this.#handToAedes(packet);
      case "pingreq":
        return this.#handToAedes(packet);
      case "disconnect":
        this.#isEnding = true;
        this.#inlet.stop();
        return this.#handToAedes(packet);
      case "connect":
      case "connack":
      case "suback":
      case "unsuback":
      case "pingresp":
      case "auth":
        return this.fail(Reason.protocolError, `${packet.cmd} from a client that is let in`);
    }
  }

  #onPublish(packet: AedesPublish): void {
    if (lacksIdentifier(packet)) return this.fail(Reason.protocolError, "packet identifier 0");
    if (packet.properties?.topicAlias !== undefined)
      return this.fail(Reason.topicAliasInvalid, "a topic alias, of which this broker takes none");
    const id = packet.messageId ?? 0;
    const problem = problemOfTopicName(packet.topic);
    const isTooLong = packet.topic.length > this.#context.limits.topicBytes;
    if (problem !== null || isTooLong) return this.#refuseName(packet, problem ?? "a topic that is too long");
    const isRepeated = packet.qos === 2 && this.#awaitingPubrel.has(id);
    const isRefused = !isRepeated && !this.#mayPublish(packet);
    if (
      !isRepeated &&
      !isRefused &&
      packet.qos === 2 &&
      this.#awaitingPubrel.size >= this.#context.limits.awaitingPubrel
    )
      return this.#refuseQos2(id);
    if (!isRepeated && !isRefused && this.principal) {
      if (packet.qos === 2) this.#awaitingPubrel.add(id);
      this.#context.exchange.publish(packet, this.client, this.principal);
    }
    this.#acknowledge(packet, isRefused ? Reason.notAuthorized : 0);
  }

  /** MQTT 3.1.1 has no reasons: a refused message is acknowledged and dropped there. */
  #acknowledge(packet: AedesPublish, reason: number): void {
    if (packet.qos === 0) return;
    this.outbox.acknowledge(packet.qos === 1 ? PUBACK : PUBREC, packet.messageId ?? 0, this.#tell(reason));
  }

  #tell(reason: number): number {
    return this.client.version === 5 ? reason : 0;
  }

  #refuseName(packet: AedesPublish, problem: string): void {
    if (this.client.version !== 5 || packet.qos === 0) return this.fail(Reason.topicNameInvalid, problem);
    this.#context.onProblem(this, problem);
    this.#acknowledge(packet, Reason.topicNameInvalid);
  }

  #refuseQos2(id: number): void {
    if (this.client.version !== 5) return this.fail(Reason.receiveMaximumExceeded, "too many messages without PUBREL");
    this.outbox.acknowledge(PUBREC, id, Reason.quotaExceeded);
  }

  #onPubrel(id: number): void {
    const isKnown = this.#awaitingPubrel.delete(id);
    this.outbox.acknowledge(PUBCOMP, id, this.#tell(isKnown ? 0 : Reason.packetIdentifierNotFound));
  }

  #mayPublish(packet: AedesPublish): boolean {
    const { principal } = this;
    if (principal === null) return false;
    const { rules, policy } = this.#context;
    const topic = rules.of(packet.topic);
    const responseTopic = packet.properties?.responseTopic;
    const reason =
      refusalOfPublish(principal, topic, { payload: packet.payload as Buffer, retain: packet.retain }, policy) ??
      (responseTopic === undefined ? null : refusalOfResponseTopic(principal, rules.of(responseTopic)));
    if (reason === null) return true;
    this.refuse("publish", topic.name, reason);
    return false;
  }

  #deliverTo(filter: string, { qos, rap, nl, si }: LiveSubscription): DeliverFunction {
    const startsWild = filter.startsWith("+") || filter.startsWith("#");
    return (publication, done) => {
      // MQTT 5 §4.7.2: no wildcard matches a first level with `$`
      const isHidden = startsWild && publication.topic.startsWith("$");
      const isOwn = nl === true && publication.clientId === this.client.id;
      if (!isHidden && !isOwn)
        this.subscriber?.deliver(
          publication,
          qos > 0 && publication.qos > 0 ? 1 : 0,
          rap === true && publication.retain,
          si,
        );
      done();
    };
  }

  #dropForBacklog(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#inlet.stop();
    this.#context.onDroppedClient(this);
    this.client.emit("error", new Error("the client does not read"));
  }
}

const NEVER_CONGESTED = { isHigh: false, wait: (resume: () => void) => resume() };
