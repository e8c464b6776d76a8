import type { Duplex } from "node:stream";
import type { Packet } from "mqtt-packet";
import type { HubPrincipal, Principal } from "#contracts/principal.ts";
import type { AccessRefusal, ClientConnection } from "./access-policy.ts";
import type { AedesClient, AedesConnect } from "./aedes-insides.ts";
import { conduit } from "./conduit.ts";
import {
  connackFor,
  type ConnectRefusal,
  type ConnectRequest,
  readConnect,
  refusalOfConnect,
  refusingConnack,
} from "./connect.ts";
import { type ConnectionContext, outputLimit } from "./connection-context.ts";
import { Inbound } from "./inbound.ts";
import { Inlet } from "./inlet.ts";
import { Outbox } from "./outbox.ts";
import { problemOfProperties, Reason } from "./packet-rules.ts";
import { Replies } from "./replies.ts";
import type { Session } from "./session.ts";
import { Subscriber } from "./subscriber.ts";
import { answerSubscribe, answerUnsubscribe } from "./subscribe.ts";
import type { Will } from "./will.ts";

/** One client's connection: its packets in, its messages out, its rights. */
export class Connection implements ClientConnection {
  readonly client: AedesClient;
  readonly address: string | null;
  readonly outbox: Outbox;
  /** Set for the hub's link, which needs no credentials. */
  readonly hub: HubPrincipal | null;
  takenFrom: string | null = null;
  /** Called when the client is let in. */
  onAdmitted: () => void = () => {};
  /** The one who was let in. */
  principal: Principal | null = null;
  /** Set once the client is let in, until it is gone. */
  session: Session | null = null;
  replies: Replies;
  #request: ConnectRequest | null = null;
  #inbound: Inbound | null = null;
  readonly #context: ConnectionContext;
  readonly #inlet: Inlet;
  readonly #early: Packet[] = [];
  readonly #handToAedes: (packet: Packet) => void;
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
    this.replies = this.#repliesTo(null);
    client.conn = conduit(conn, this.outbox);
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
      isOpen: () => client.connected || this.#request === null,
      onPacket: (packet) => this.#take(packet),
      onProblem: (reason, problem) => this.fail(reason, problem),
    });
  }

  /** What the client asked for in CONNECT. @throws before there was one. */
  get request(): ConnectRequest {
    if (this.#request === null) throw new Error("no CONNECT yet");
    return this.#request;
  }

  get clientId(): string {
    return this.#request?.clientId ?? "";
  }

  get protocolVersion(): 3 | 4 | 5 {
    return this.#request?.protocolVersion ?? 4;
  }

  get hasWill(): boolean {
    return (this.session?.will ?? null) !== null;
  }

  refuse(action: AccessRefusal["action"], topic: string, reason: string): void {
    const { principal, address } = this;
    if (principal !== null) this.#context.refuse({ principal, address, action, topic, reason });
  }

  /** Does not let the client in. */
  turnAway(refusal: ConnectRefusal): void {
    const connack = refusingConnack(this.protocolVersion, refusal);
    if (connack) this.replies.send(connack, refusal.sentence);
    this.end(refusal.reasonCode, refusal.sentence);
  }

  /** Ends the connection because the client broke the protocol. Its Will is published. */
  fail(reason: number, problem: string): void {
    if (this.#isEnding) return;
    this.#context.onProblem(this, problem);
    this.end(reason, problem);
  }

  /** Ends the connection at once, with the reason where the client's version has reasons. */
  end(reason: number, sentence: string): void {
    if (this.client.closed) return;
    this.#isEnding = true;
    this.#inlet.stop();
    if (this.protocolVersion === 5 && this.session !== null)
      this.replies.send({ cmd: "disconnect", reasonCode: reason }, sentence);
    this.client.emit("error", new Error(sentence));
  }

  /** The client is let in: its session begins or goes on, and it is told. Its former connection has ended. */
  admit(principal: Principal, will: Will | null): void {
    const { limits, sessions } = this.#context;
    const { request } = this;
    const { session, isPresent } = sessions.open(this.client.id, {
      principal,
      isClean: request.isClean,
      seconds: request.sessionSeconds,
      receiveMaximum: request.receiveMaximum,
      will,
    });
    this.session = session;
    this.outbox.limit = outputLimit(principal, limits);
    session.subscriber = new Subscriber({
      outbox: this.outbox,
      protocolVersion: this.protocolVersion,
      maximumPacketSize: request.maximumPacketSize,
      receiveMaximum: request.receiveMaximum,
      isHub: principal.type === "hub",
      queue: session.queue,
      mayRead: (publication) => this.#context.exchange.mayRead(principal, publication),
    });
    this.#inbound = new Inbound({
      context: this.#context,
      replies: this.replies,
      session,
      principal,
      protocolVersion: this.protocolVersion,
      refuse: (action, topic, reason) => this.refuse(action, topic, reason),
      onProblem: (problem) => this.#context.onProblem(this, problem),
      fail: (reason, problem) => this.fail(reason, problem),
    });
    this.replies.send(connackFor(request, isPresent, limits), null);
  }

  /** CONNACK is on its way: what waited goes out and comes in. */
  start(): void {
    this.session?.subscriber?.start();
    for (const packet of this.#early.splice(0)) if (!this.#isEnding) this.#dispatch(packet);
    this.#inlet.pull();
  }

  /** The connection has ended. */
  leave(): void {
    const { session } = this;
    this.session = null;
    if (session) this.#context.sessions.leave(session, Date.now());
  }

  #take(packet: Packet): void {
    if (this.#isEnding) return;
    if (this.client.connected) return this.#dispatch(packet);
    if (this.#request === null) {
      if (packet.cmd !== "connect") return this.fail(Reason.protocolError, "the first packet is no CONNECT");
      return this.#onConnect(packet as unknown as AedesConnect);
    }
    // MQTT 5 §3.1.4: a client need not wait for CONNACK
    if (this.#early.push(packet) > this.#context.limits.packetsBeforeConnack)
      this.fail(Reason.quotaExceeded, "too many packets before CONNACK");
  }

  #onConnect(packet: AedesConnect): void {
    this.#request = readConnect(packet, this.#context.limits);
    this.replies = this.#repliesTo(this.#request);
    const refusal = refusalOfConnect(packet);
    if (refusal) {
      this.#context.onProblem(this, refusal.sentence);
      return this.turnAway(refusal);
    }
    // the Will is ours
    const { will: _will, ...rest } = packet;
    this.#handToAedes(rest as unknown as Packet);
  }

  #dispatch(packet: Packet): void {
    const problem = problemOfProperties(packet.cmd, "properties" in packet ? packet.properties : undefined);
    if (problem !== null) return this.fail(Reason.protocolError, problem);
    switch (packet.cmd) {
      case "publish":
        return this.#inbound?.publish(packet);
      case "puback":
        this.session?.subscriber?.acknowledge(packet.messageId ?? 0);
        return;
      case "pubrel":
        return this.#inbound?.release(packet.messageId ?? 0);
      case "pubrec":
      case "pubcomp":
        return; // nothing leaves here with QoS 2
      case "subscribe":
        return answerSubscribe(this, packet, this.#context);
      case "unsubscribe":
        return answerUnsubscribe(this, packet, this.#context);
      case "pingreq":
        return this.replies.pong();
      case "disconnect":
        return this.#onDisconnect(packet.reasonCode ?? 0, packet.properties?.sessionExpiryInterval);
      case "connect":
      case "connack":
      case "suback":
      case "unsuback":
      case "pingresp":
      case "auth":
        return this.fail(Reason.protocolError, `${packet.cmd} from a client that is let in`);
    }
  }

  /** MQTT 5 §3.14 */
  #onDisconnect(reasonCode: number, seconds: number | undefined): void {
    const { session } = this;
    // §3.14.2.2.2: a session that was to end with its connection cannot be made to last
    if (seconds !== undefined && seconds > 0 && this.request.askedSessionSeconds === 0)
      return this.fail(Reason.protocolError, "a session that was to end with its connection cannot last longer");
    if (session && seconds !== undefined) session.seconds = Math.min(seconds, this.#context.limits.sessionSeconds);
    // [MQTT-3.14.4-3]: with any other reason than "normal" the Will is published
    if (session && reasonCode === 0) session.will = null;
    this.#isEnding = true;
    this.#inlet.stop();
    this.client.close();
  }

  #repliesTo(request: ConnectRequest | null): Replies {
    return new Replies(this.outbox, {
      protocolVersion: request?.protocolVersion ?? 4,
      maximumPacketSize: request?.maximumPacketSize ?? Number.POSITIVE_INFINITY,
      wantsReasons: request?.wantsReasons ?? false,
      onTooLarge: () => this.#dropForSize(),
    });
  }

  #dropForBacklog(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#inlet.stop();
    this.#context.onDroppedClient(this);
    this.client.emit("error", new Error("the client does not read"));
  }

  /** [MQTT-3.1.2-24]: nothing larger is sent, and without its answer the client could not go on. */
  #dropForSize(): void {
    if (this.#isEnding) return;
    this.#context.onProblem(this, "takes no packets large enough for an answer");
    this.#isEnding = true;
    this.#inlet.stop();
    this.client.emit("error", new Error("no answer is small enough"));
  }
}

const NEVER_CONGESTED = { isHigh: false, wait: (resume: () => void) => resume() };
